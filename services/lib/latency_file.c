/* SPDX-License-Identifier: ISC */
/*
 * The file of latencies: a head, then records. Its writer keeps all of it in
 * memory and writes the record that has changed; without the file the figures
 * are kept in memory alone.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "latency.h"
#include "log.h"

static const struct head {
	char	 magic[8];
	uint32_t size, version;
} our_head = { "svlat", sizeof(struct latency), 1 };

static struct latency all[LATENCY_MAX];
static int n;
static int file = -1;

static int
put_path(const char *run, char *dst, size_t cap)
{
	if (run == NULL)
		run = getenv("SVTREE_RUN");
	if (run == NULL || run[0] != '/' || (size_t)snprintf(dst, cap,
	    "%s/" LATENCY_FILE, run) >= cap) {
		errno = ENOENT;
		return -1;
	}
	return 0;
}

/* 0, or -1: it is not one of ours. */
static int
read_head(int fd)
{
	struct head h;

	return pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h &&
	    memcmp(&h, &our_head, sizeof h) == 0 ? 0 : -1;
}

static off_t
place(int i)
{
	return (off_t)(sizeof our_head + (size_t)i * sizeof(struct latency));
}

/* From the first one on. How many there are, at most max. */
static int
read_records(int fd, int first, struct latency *dst, int max)
{
	int i;

	for (i = 0; i < max; i++) {
		if (pread(fd, &dst[i], sizeof dst[i], place(first + i)) !=
		    (ssize_t)sizeof dst[i])
			break;
		dst[i].name[sizeof dst[i].name - 1] = '\0';
	}
	return i;
}

static int
open_anew(char *path)
{
	char *slash = strrchr(path, '/');
	int fd;

	*slash = '\0';
	(void)mkdir(path, 0755);
	*slash = '/';
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd >= 0 && write(fd, &our_head, sizeof our_head) !=
	    (ssize_t)sizeof our_head) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

void
latency_open(void)
{
	char path[PATH_MAX];

	if (put_path(NULL, path, sizeof path) < 0)
		return;
	file = open(path, O_RDWR | O_CLOEXEC);
	if (file >= 0 && read_head(file) == 0) {
		n = read_records(file, 0, all, LATENCY_MAX);
		return;
	}
	if (file >= 0)
		(void)close(file);
	if ((file = open_anew(path)) < 0)
		log_warn("keep latencies in %s; they are not shown", path);
}

struct latency *
latency_take(const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	if (n == LATENCY_MAX)
		return NULL;
	(void)snprintf(all[n].name, sizeof all[n].name, "%s", name);
	return &all[n++];
}

void
latency_save(const struct latency *l)
{
	if (file < 0 || pwrite(file, l, sizeof *l, place((int)(l - all))) ==
	    (ssize_t)sizeof *l)
		return;
	log_warn("write latencies; they are not shown any more");
	(void)close(file);
	file = -1;
}

static int
open_to_read(const char *run)
{
	char path[PATH_MAX];
	int fd;

	if (put_path(run, path, sizeof path) < 0 ||
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	if (read_head(fd) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int
latency_read(const char *run, struct latency *dst, int max)
{
	int fd = open_to_read(run), count;

	if (fd < 0)
		return 0;
	count = read_records(fd, 0, dst, max);
	(void)close(fd);
	return count;
}

bool
latency_find(const char *run, const char *name, struct latency *dst)
{
	int fd = open_to_read(run), i;
	bool found = false;

	for (i = 0; fd >= 0 && !found && read_records(fd, i, dst, 1) == 1; i++)
		found = strcmp(dst->name, name) == 0;
	if (fd >= 0)
		(void)close(fd);
	return found;
}
