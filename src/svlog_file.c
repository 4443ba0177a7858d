/* SPDX-License-Identifier: ISC */
/*
 * One log directory: current is appended to, renamed when it is full, and
 * the oldest are deleted. Files stay within max-size; a line is split only
 * when it is longer than that.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "svlog.h"

#define ROTATED_MAX	4096	/* files looked at; keep is smaller */
#define ROTATED_LEN	32	/* 20261124T101500.123456Z.log */
#define LOOK_US		1000000
#define TELL_US		60000000
#define RESERVE_MAX	4096	/* for the end of a line that is open */

void
svlog_file_init(struct svlog_file *f, const char *log_dir, const char *name)
{
	memset(f, 0, sizeof *f);
	f->fd = -1;
	(void)snprintf(f->dir, sizeof f->dir, "%s/%s", log_dir, name);
}

void
svlog_file_close(struct svlog_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}

static void
name_current(const struct svlog_file *f, char *path, size_t cap)
{
	(void)snprintf(path, cap, "%s/current", f->dir);
}

static int
open_current(struct svlog_file *f)
{
	char path[1200], last = '\n';
	struct stat st;

	if (f->fd >= 0)
		return 0;
	name_current(f, path, sizeof path);
	if (mkdir(f->dir, 0755) < 0 && errno != EEXIST)
		return -1;
	f->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0640);
	if (f->fd < 0)
		return -1;
	f->size = 0;
	if (fstat(f->fd, &st) == 0)
		f->size = st.st_size;
	if (f->size > 0 && pread(f->fd, &last, 1, f->size - 1) != 1)
		last = '\n';
	f->open = last != '\n';
	return 0;
}

/* Somebody may have deleted or renamed current under us. */
static void
look(struct svlog_file *f, int64_t wall_us)
{
	struct stat by_fd, by_name;
	char path[1200];

	if (f->fd < 0 || (wall_us >= f->looked_us &&
	    wall_us - f->looked_us < LOOK_US))
		return;
	f->looked_us = wall_us;
	name_current(f, path, sizeof path);
	if (fstat(f->fd, &by_fd) == 0 && stat(path, &by_name) == 0 &&
	    by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev)
		return;
	svlog_file_close(f);
}

void
svlog_file_open(struct svlog_file *f, int64_t wall_us)
{
	look(f, wall_us);
	if (open_current(f) < 0)
		f->open = false;	/* the write will tell */
}

static int
is_rotated(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n < ROTATED_LEN && n > 20 && e->d_name[0] >= '0' &&
	    e->d_name[0] <= '9' && strcmp(e->d_name + n - 4, ".log") == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The names of rotated files, oldest first. */
static int
list(const struct svlog_file *f, char (*name)[ROTATED_LEN], int max)
{
	struct dirent *e;
	DIR *d = opendir(f->dir);
	int n = 0;

	if (d == NULL)
		return 0;
	while (n < max && (e = readdir(d)) != NULL)
		if (is_rotated(e))
			(void)snprintf(name[n++], ROTATED_LEN, "%.31s",
			    e->d_name);
	(void)closedir(d);
	qsort(name, (size_t)n, ROTATED_LEN, by_name);
	return n;
}

void
svlog_file_trim(const struct svlog_file *f)
{
	static char name[ROTATED_MAX][ROTATED_LEN];
	int64_t sum = f->conf.max_size;	/* current may grow to that */
	int i, n = list(f, name, ROTATED_MAX);
	char path[1200];
	struct stat st;

	for (i = n - 1; i >= 0; i--) {
		(void)snprintf(path, sizeof path, "%s/%s", f->dir, name[i]);
		if (stat(path, &st) == 0)
			sum += st.st_size;
		if (n - i > f->conf.keep || sum > f->conf.total)
			(void)unlink(path);
	}
}

static int
rotate(struct svlog_file *f, int64_t wall_us)
{
	char from[1200], to[1200], date[24];
	time_t now;
	struct tm tm;
	int tries;

	name_current(f, from, sizeof from);
	for (tries = 0; tries < 1000; tries++, wall_us++) {
		now = (time_t)(wall_us / 1000000);
		if (gmtime_r(&now, &tm) == NULL)
			return -1;
		(void)strftime(date, sizeof date, "%Y%m%dT%H%M%S", &tm);
		(void)snprintf(to, sizeof to, "%s/%s.%06dZ.log", f->dir, date,
		    (int)(wall_us % 1000000));
		if (access(to, F_OK) < 0)
			break;
	}
	if (rename(from, to) < 0 && errno != ENOENT)
		return -1;
	svlog_file_close(f);
	svlog_file_trim(f);
	return open_current(f);
}

static void
drop(struct svlog_file *f, size_t n, int64_t wall_us)
{
	f->dropped += n;
	f->error = errno;
	if (f->told_us != 0 && wall_us - f->told_us < TELL_US &&
	    wall_us >= f->told_us)
		return;
	f->told_us = wall_us;
	log_warn("%s: dropped %llu bytes so far", f->dir,
	    (unsigned long long)f->dropped);
}

/* Writes n bytes; 0 when all of them are in the file. */
static int
append(struct svlog_file *f, const char *bytes, size_t n, int64_t wall_us)
{
	ssize_t put;

	while (n > 0) {
		put = write(f->fd, bytes, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0) {
			drop(f, n, wall_us);
			return -1;
		}
		f->size += put;
		f->open = bytes[put - 1] != '\n';
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

static void
tell_loss(struct svlog_file *f, int64_t wall_us)
{
	char line[128];

	(void)snprintf(line, sizeof line, "%ssvlog: %llu bytes were dropped "
	    "here: %s\n", f->open ? "\n" : "",
	    (unsigned long long)f->dropped, strerror(f->error));
	f->dropped = 0;
	if (append(f, line, strlen(line), wall_us) == 0) {
		f->told_us = 0;
		log_info("%s: writes again", f->dir);
	}
}

/* How many of n bytes go into current before it has to be rotated; 0: at
 * once. */
static size_t
fitting(const struct svlog_file *f, const char *bytes, size_t n)
{
	int64_t max = f->conf.max_size, reserve = max / 8, room;
	size_t k;

	if (reserve > RESERVE_MAX)
		reserve = RESERVE_MAX;
	room = max - reserve - f->size;
	if (room >= (int64_t)n)
		return n;
	for (k = room > 0 ? (size_t)room : 0; k > 0; k--)
		if (bytes[k - 1] == '\n')
			return k;
	/* No line ends within the room. An open one may use the reserve. */
	room = max - f->size;
	for (k = 0; f->open && (int64_t)k < room && k < n; k++)
		if (bytes[k] == '\n')
			return k + 1;
	if (!f->open && f->size > 0)
		return 0;
	if (room <= 0)
		return 0;
	return (int64_t)n < room ? n : (size_t)room;
}

void
svlog_file_write(struct svlog_file *f, const char *bytes, size_t n,
    int64_t wall_us)
{
	size_t k;

	if (open_current(f) < 0) {
		drop(f, n, wall_us);
		return;
	}
	if (f->dropped > 0)
		tell_loss(f, wall_us);
	while (n > 0) {
		k = fitting(f, bytes, n);
		if (k > 0 && append(f, bytes, k, wall_us) < 0)
			return;
		bytes += k;
		n -= k;
		if (n > 0 && rotate(f, wall_us) < 0) {
			drop(f, n, wall_us);
			return;
		}
	}
}
