/* SPDX-License-Identifier: ISC */
/*
 * The rotated files of one log directory: named by the time of the rotation,
 * so that their names sort by age, and deleted from the oldest on.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "svlog.h"

#define ROTATED_MAX	4096	/* files looked at; keep is smaller */
#define STEM		23	/* 20261124T101500.123456Z */

typedef char rotated_name[SVLOG_ROTATED];

void
svlog_path(const struct svlog_file *f, const char *name, char *dst,
    size_t cap)
{
	(void)snprintf(dst, cap, "%s/%s/%s", f->log_dir, f->name, name);
}

static bool
is_rotated(const char *name)
{
	return strlen(name) < SVLOG_ROTATED &&
	    strspn(name, "0123456789T.") == STEM - 1 &&
	    (strcmp(name + STEM, ".log") == 0 ||
	    strcmp(name + STEM, ".log.gz") == 0 ||
	    strcmp(name + STEM, ".log.zst") == 0);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names, oldest first, in memory that the next call takes back. */
static int
list(const struct svlog_file *f, rotated_name **names)
{
	static rotated_name name[ROTATED_MAX];
	char path[SVLOG_PATH];
	struct dirent *e;
	int n = 0;
	DIR *d;

	svlog_path(f, "", path, sizeof path);
	if ((d = opendir(path)) == NULL)
		return 0;
	while (n < ROTATED_MAX && (e = readdir(d)) != NULL)
		if (is_rotated(e->d_name))
			(void)snprintf(name[n++], SVLOG_ROTATED, "%.47s",
			    e->d_name);
	(void)closedir(d);
	qsort(name, (size_t)n, sizeof *name, by_name);
	*names = name;
	return n;
}

int
svlog_rotated(const struct svlog_file *f, char name[SVLOG_ROTATED])
{
	rotated_name *names;
	int i, n = list(f, &names);

	name[0] = '\0';
	for (i = 0; i < n && name[0] == '\0'; i++)
		if (strlen(names[i]) == STEM + 4)
			memcpy(name, names[i], SVLOG_ROTATED);
	return n;
}

void
svlog_trim(const struct svlog_file *f)
{
	int64_t sum = f->conf.max_size;	/* current may grow to that */
	rotated_name *names;
	int i, n = list(f, &names);
	char path[SVLOG_PATH];
	struct stat st;

	for (i = n - 1; i >= 0; i--) {
		svlog_path(f, names[i], path, sizeof path);
		if (stat(path, &st) == 0)
			sum += st.st_size;
		if (n - i > f->conf.keep || sum > f->conf.total)
			(void)unlink(path);
	}
}

bool
svlog_drop_oldest(const struct svlog_file *f)
{
	char path[SVLOG_PATH];
	rotated_name *names;
	bool gone = false;
	int e = errno;

	if (list(f, &names) > 0) {
		svlog_path(f, names[0], path, sizeof path);
		gone = unlink(path) == 0;
	}
	errno = e;
	return gone;
}

int
svlog_rotate(struct svlog_file *f, int64_t wall_us)
{
	char from[SVLOG_PATH], to[SVLOG_PATH], name[SVLOG_ROTATED], date[24];
	time_t now;
	struct tm tm;
	int tries;

	/* Names sort by age, also within a microsecond or when the clock is set
	 * back, even when the one before was deleted meanwhile. */
	if (wall_us <= f->rotated_us)
		wall_us = f->rotated_us + 1;
	svlog_path(f, "current", from, sizeof from);
	for (tries = 0; tries < 1000; tries++, wall_us++) {
		now = (time_t)(wall_us / 1000000);
		if (gmtime_r(&now, &tm) == NULL)
			return -1;
		(void)strftime(date, sizeof date, "%Y%m%dT%H%M%S", &tm);
		(void)snprintf(name, sizeof name, "%.15s.%06dZ.log", date,
		    (int)(wall_us % 1000000));
		svlog_path(f, name, to, sizeof to);
		if (access(to, F_OK) < 0)
			break;
	}
	if (rename(from, to) < 0 && errno != ENOENT)
		return -1;
	f->rotated_us = wall_us;
	return 0;
}
