/* SPDX-License-Identifier: ISC */
/*
 * current: appended to, renamed when it is full, opened anew when somebody
 * took it away. It stays within max-size; a line is split only when it is
 * longer than the zone at its end, where no line begins that is not whole.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "oslog.h"
#include "svlog.h"

#define LOOK_US		1000000
#define TELL_US		60000000
#define ZONE_MAX	131072	/* bytes at the end of the file */

void
svlog_file_init(struct svlog_file *f, const char *log_dir, const char *name)
{
	memset(f, 0, sizeof *f);
	f->fd = -1;
	f->log_dir = log_dir;
	f->name = name;
}

void
svlog_file_close(struct svlog_file *f)
{
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = -1;
}

static void
see_last_byte(struct svlog_file *f)
{
	char last = '\n';

	if (f->size > 0 && pread(f->fd, &last, 1, f->size - 1) != 1)
		last = '\n';
	f->open = last != '\n';
}

static int
open_current(struct svlog_file *f)
{
	char path[SVLOG_PATH];

	if (f->fd >= 0)
		return 0;
	svlog_path(f, "", path, sizeof path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	svlog_path(f, "current", path, sizeof path);
	/* Without O_APPEND, which splice(2) refuses. */
	f->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (f->fd < 0)
		return -1;
	f->size = lseek(f->fd, 0, SEEK_END);
	see_last_byte(f);
	return 0;
}

/* Somebody may have deleted or renamed current under us. */
static void
look(struct svlog_file *f, int64_t wall_us)
{
	struct stat by_fd, by_name;
	char path[SVLOG_PATH];

	if (f->fd < 0 || (wall_us >= f->looked_us &&
	    wall_us - f->looked_us < LOOK_US))
		return;
	f->looked_us = wall_us;
	svlog_path(f, "current", path, sizeof path);
	if (fstat(f->fd, &by_fd) == 0 && stat(path, &by_name) == 0 &&
	    by_fd.st_ino == by_name.st_ino && by_fd.st_dev == by_name.st_dev)
		return;
	svlog_file_close(f);
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
	log_warn("%s: dropped %llu bytes so far", f->name,
	    (unsigned long long)f->dropped);
}

/* Writes n bytes; those that are not in the file afterwards are dropped. A
 * full disk costs the oldest file before it costs a line. */
static int
append(struct svlog_file *f, const char *bytes, size_t n, int64_t wall_us)
{
	bool made_room = false;
	ssize_t put;

	while (n > 0) {
		put = write(f->fd, bytes, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == ENOSPC && !made_room &&
		    svlog_drop_oldest(f)) {
			made_room = true;
			continue;
		}
		if (put <= 0) {
			drop(f, n, wall_us);
			return -1;
		}
		made_room = false;
		f->size += put;
		f->open = bytes[put - 1] != '\n';
		bytes += put;
		n -= (size_t)put;
	}
	return 0;
}

void
svlog_file_open(struct svlog_file *f, int64_t wall_us)
{
	int64_t end;

	look(f, wall_us);
	if (open_current(f) < 0) {
		f->open = false;	/* the write will tell */
		return;
	}
	/* Cut or added to by somebody else: we go on at the end. */
	end = lseek(f->fd, 0, SEEK_END);
	if (end != f->size) {
		f->size = end;
		see_last_byte(f);
	}
	if (f->torn && f->open && f->conf.timestamps)
		(void)append(f, "\n", 1, wall_us);
	f->torn = false;
}

static int
rotate(struct svlog_file *f, int64_t wall_us)
{
	if (svlog_rotate(f, wall_us) < 0)
		return -1;
	svlog_file_close(f);
	svlog_trim(f);
	(void)svlog_squeeze(f);
	return open_current(f);
}

static void
tell_loss(struct svlog_file *f, int64_t wall_us)
{
	uint64_t dropped = f->dropped;
	char line[128];

	(void)snprintf(line, sizeof line, "%ssvlog: %llu bytes were dropped "
	    "here: %s\n", f->open ? "\n" : "", (unsigned long long)dropped,
	    strerror(f->error));
	f->dropped = 0;
	if (append(f, line, strlen(line), wall_us) < 0) {
		f->dropped = dropped;	/* the marker itself is no loss */
		return;
	}
	f->told_us = 0;
	log_info("%s: writes again", f->name);
}

static int64_t
zone(const struct svlog_file *f)
{
	int64_t z = f->conf.max_size / 4;

	return z < ZONE_MAX ? z : ZONE_MAX;
}

static size_t
up_to_line_end(const char *bytes, size_t n)
{
	while (n > 0 && bytes[n - 1] != '\n')
		n--;
	return n;
}

/* How many of n bytes go into current before it has to be rotated; 0: at
 * once. */
static size_t
fitting(const struct svlog_file *f, const char *bytes, size_t n)
{
	int64_t room = f->conf.max_size - f->size;
	size_t k;

	if ((int64_t)n <= room - zone(f))
		return n;
	if (room <= 0)
		return f->size > 0 ? 0 : n;
	if ((int64_t)n > room)
		n = (size_t)room;
	k = up_to_line_end(bytes, n);
	/* Nothing but the inside of a line: it goes on while it may. */
	return k > 0 || (!f->open && f->size > 0) ? k : n;
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
	if (f->dropped > 0) {
		drop(f, n, wall_us);
		return;
	}
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

ssize_t
svlog_file_move(struct svlog_file *f, int fifo, char *mem, int64_t wall_us)
{
	size_t n = OSLOG_BATCH, k;
	int64_t unseen;
	ssize_t got;

	if (f->fd < 0 || f->dropped > 0) {
		errno = EINVAL;
		return -1;
	}
	unseen = f->conf.max_size - zone(f) - f->size;
	if (unseen < (int64_t)n && unseen > 0)
		n = (size_t)unseen;
	if (unseen <= 0) {
		if ((got = oslog_peek(fifo, mem)) <= 0)
			return got;
		k = fitting(f, mem, (size_t)got);
		if (k == 0 && rotate(f, wall_us) < 0)
			return -1;
		n = k > 0 ? k : fitting(f, mem, (size_t)got);
	}
	got = oslog_move(fifo, f->fd, n);
	if (got > 0) {
		f->size += got;
		see_last_byte(f);
	}
	return got;
}
