/* SPDX-License-Identifier: ISC */
/*
 * A directory of a service: which files it has, and the fingerprint by which
 * a changed definition is known.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_private.h"

#define SCRIPT_MAX	65536	/* bytes; above it is a program */

uint64_t
conf_mix(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	while (n-- > 0)	/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv */
		h = (h ^ *p++) * 0x100000001b3u;
	return h;
}

/* Adds a file, if it is there, to the fingerprint: its bytes, or, of a
 * program that somebody called run, that it is the same file as before. */
static uint64_t
mix_file(uint64_t h, const char *dir, const char *name)
{
	char path[PATH_MAX], bytes[4096];
	struct stat st;
	ssize_t n;
	int fd;

	h = conf_mix(h, name, strlen(name) + 1);
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return h;
	if (fstat(fd, &st) == 0 && st.st_size > SCRIPT_MAX) {
		h = conf_mix(h, &st.st_dev, sizeof st.st_dev);
		h = conf_mix(h, &st.st_ino, sizeof st.st_ino);
		h = conf_mix(h, &st.st_size, sizeof st.st_size);
		h = conf_mix(h, &st.st_mtime, sizeof st.st_mtime);
	} else {
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			h = conf_mix(h, bytes, (size_t)n);
	}
	(void)close(fd);
	return h;
}

bool
conf_has(const char *dir, const char *name, int mode)
{
	char path[PATH_MAX + NAME_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, mode) == 0;
}

/* A script that is there but cannot be run is a mistake, not an absence. */
static bool
script(struct conf_reader *rd, const char *name)
{
	if (!conf_has(rd->sv->dir, name, F_OK))
		return false;
	if (!conf_has(rd->sv->dir, name, X_OK))
		conf_error(rd, "%s is not executable; chmod +x %s/%s", name,
		    rd->sv->dir, name);
	return true;
}

void
conf_read_settings(struct conf_reader *rd)
{
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof path, "%s/service.conf", rd->sv->dir);
	file = fopen(path, "re");
	if (file != NULL) {
		conf_read_file(rd, file);
		(void)fclose(file);
	} else if (errno != ENOENT) {
		conf_error(rd, "service.conf cannot be read: %s",
		    strerror(errno));
	}
}

static void
read_service(struct conf_reader *rd)
{
	static const char *const files[] = { "run", "finish", "check",
	    "conf" };
	struct conf_service *sv = rd->sv;
	size_t i;

	memset(rd->seen, 0, sizeof rd->seen);
	rd->line = 0;
	conf_defaults(sv);
	if (sv->logs != NULL)
		conf_logger_defaults(sv);
	sv->fingerprint = 0xcbf29ce484222325u;
	for (i = 0; i < sizeof files / sizeof files[0]; i++)
		sv->fingerprint = mix_file(sv->fingerprint, sv->dir, files[i]);
	sv->fingerprint = conf_mix(sv->fingerprint, &sv->has_logger,
	    sizeof sv->has_logger);
	conf_read_settings(rd);
	sv->down = conf_has(sv->dir, "down", F_OK);
	sv->has_run = script(rd, "run");
	sv->has_finish = script(rd, "finish");
	sv->has_check = script(rd, "check");
	conf_check_service(rd);
}

static int
open_tree(struct conf_reader *rd, const char *dir)
{
	struct conf_tree *t = rd->tree;
	char path[PATH_MAX];
	DIR *d;
	int bad;

	if (realpath(dir, path) == NULL || (d = opendir(path)) == NULL) {
		conf_error(rd, "%s: cannot be read: %s", dir,
		    strerror(errno));
		return -1;
	}
	t->dir = conf_copy(t, path);
	bad = t->dir == NULL ? -1 : conf_list(rd, d);
	(void)closedir(d);
	if (bad != 0)
		conf_error(rd, "%s: no memory for so many services", dir);
	return bad;
}

/* Reads all, reports all; returns the number of errors. */
static int
read_tree(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg)
{
	struct conf_reader rd = { .tree = t, .report = report, .arg = arg };
	int i;

	memset(t, 0, sizeof *t);
	if (open_tree(&rd, dir) < 0)
		return rd.errors;
	for (i = 0; i < t->n; i++) {
		rd.sv = &t->service[i];
		read_service(&rd);
	}
	conf_check_tree(&rd);
	return rd.errors;
}

int
conf_load(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg)
{
	if (read_tree(t, dir, report, arg) == 0)
		return 0;
	conf_free(t);
	return -1;
}

int
conf_load_partly(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg)
{
	int i, errors = read_tree(t, dir, report, arg);

	for (i = 0; i < t->n && t->service[i].broken != NULL; i++)
		continue;
	if (errors == 0 || (t->dir != NULL && i < t->n))
		return errors;
	conf_free(t);
	return -1;
}
