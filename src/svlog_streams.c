/* SPDX-License-Identifier: ISC */
/*
 * All streams: the FIFOs found below the run directory and how their logs are
 * to be written. Each gets its turn, so that a chatty one holds up nobody.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "svlog.h"

#define STREAMS_MAX	16384
#define FORMER		0x800000	/* in a tag: the former FIFO */

static struct {
	struct svlog_dirs dirs;
	struct svlog_stream *stream[STREAMS_MAX]; /* by tag; NULL is free */
	struct svlog_stream *sorted[STREAMS_MAX]; /* by name */
	int	 slots, n;
	bool	 unclean;		/* our forerunner was killed */
} all;

static int
by_name(const void *a, const void *b)
{
	const struct svlog_stream *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static struct svlog_stream *
find(const char *name, int n)
{
	int low = 0, high = n - 1, mid, c;

	while (low <= high) {
		mid = (low + high) / 2;
		c = strcmp(name, all.sorted[mid]->name);
		if (c == 0)
			return all.sorted[mid];
		if (c < 0)
			high = mid - 1;
		else
			low = mid + 1;
	}
	return NULL;
}

void
svlog_streams_close_files(void)
{
	int i;

	for (i = 0; i < all.n; i++)
		svlog_file_close(&all.sorted[i]->file);
}

void
svlog_streams_turn(uint32_t tag)
{
	bool former = (tag & FORMER) != 0;

	tag &= ~(uint32_t)FORMER;
	if (tag >= (uint32_t)all.slots || all.stream[tag] == NULL)
		return;
	if (!former)
		(void)svlog_stream_pump(all.stream[tag]);
	else if (all.stream[tag]->former >= 0)
		svlog_stream_pump_former(all.stream[tag]);
}

static int
open_fifo(const char *name)
{
	char path[SVLOG_PATH];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s/log", all.dirs.run, name);
	if (lstat(path, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -1;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		log_warn("open %s", path);
	return fd;
}

/* The FIFO of that name may be another one by now. */
static bool
is_current(const struct svlog_stream *s)
{
	struct stat a, b;
	char path[SVLOG_PATH];

	(void)snprintf(path, sizeof path, "%s/%s/log", all.dirs.run, s->name);
	return fstat(s->fifo, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static int
free_slot(void)
{
	int i;

	for (i = 0; i < all.slots; i++)
		if (all.stream[i] == NULL)
			return i;
	return all.slots < STREAMS_MAX ? all.slots++ : -1;
}

static struct svlog_stream *
make(const char *name)
{
	struct svlog_stream *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	(void)strlcpy(s->name, name, sizeof s->name);
	s->former = -1;
	svlog_file_init(&s->file, all.dirs.log, s->name);
	s->file.conf = *conf_log_default();
	return s;
}

static void
watch(struct svlog_stream *s, int fifo, int slot)
{
	struct stat err, own;

	s->fifo = fifo;
	s->seen = true;
	s->file.torn = all.unclean && svlog_stream_has_bytes(s);
	if (os_watch(fifo, OS_READ, (uint32_t)slot) < 0)
		log_warn("%s: watch its FIFO", s->name);
	/* What we say ourselves must never wait for us to read it. */
	if (fstat(fifo, &own) == 0 && fstat(STDERR_FILENO, &err) == 0 &&
	    own.st_ino == err.st_ino && own.st_dev == err.st_dev)
		(void)os_nonblock(STDERR_FILENO);
}

/* Somebody took the FIFO's name away while a service may still write to it: it
 * is read on beside the new one, or the service would block once it is full. */
static void
retire(struct svlog_stream *s, int slot)
{
	if (s->former >= 0) {
		(void)os_watch(s->former, 0, 0);
		(void)close(s->former);
	}
	s->former = s->fifo;
	s->wide = false;
	if (os_watch(s->former, OS_READ, (uint32_t)slot | FORMER) < 0)
		log_warn("%s: watch its former FIFO", s->name);
}

static void
add(const char *name, int known)
{
	struct svlog_stream *s = find(name, known);
	int fd, slot;

	if (s != NULL && is_current(s)) {
		s->seen = true;
		return;
	}
	if (strlen(name) > CONF_NAME_MAX || (fd = open_fifo(name)) < 0)
		return;
	if (s != NULL) {
		for (slot = 0; all.stream[slot] != s; slot++)
			continue;
		retire(s, slot);
		watch(s, fd, slot);
		return;
	}
	if ((slot = free_slot()) < 0 || (s = make(name)) == NULL) {
		(void)close(fd);
		return;
	}
	all.stream[slot] = all.sorted[all.n++] = s;
	watch(s, fd, slot);
}

/* A stream whose FIFO is gone from the run directory is over. */
static void
sweep(void)
{
	struct svlog_stream *s;
	int i, k;

	for (i = k = 0; i < all.slots; i++) {
		s = all.stream[i];
		if (s == NULL)
			continue;
		if (s->seen) {
			all.sorted[k++] = s;
			continue;
		}
		svlog_stream_close(s);
		svlog_file_close(&s->file);
		svlog_squeeze_forget(&s->file);
		free(s);
		all.stream[i] = NULL;
	}
	all.n = k;
	qsort(all.sorted, (size_t)all.n, sizeof(*all.sorted), by_name);
}

static void
settle(struct svlog_stream *s)
{
	(void)conf_load_log(all.dirs.services, s->name, &s->file.conf);
	/* The supervisor's lines carry their own time. */
	if (strcmp(s->name, "svtree") == 0)
		s->file.conf.timestamps = false;
	svlog_trim(&s->file);
	(void)svlog_squeeze(&s->file);
}

void
svlog_streams_scan(void)
{
	int i, known = all.n;
	struct dirent *e;
	DIR *d;

	if ((d = opendir(all.dirs.run)) == NULL) {
		log_warn("read %s", all.dirs.run);
		return;
	}
	for (i = 0; i < all.n; i++)
		all.sorted[i]->seen = false;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			add(e->d_name, known);
	(void)closedir(d);
	sweep();
	for (i = 0; i < all.n; i++)
		settle(all.sorted[i]);
}

void
svlog_streams_squeeze(void)
{
	int i;

	if (!svlog_squeeze_reap())
		return;
	for (i = 0; i < all.n; i++)
		if (all.sorted[i]->file.squeeze &&
		    svlog_squeeze(&all.sorted[i]->file))
			return;
}

/* A file that is there while we are at work: found at the start, it says
 * that our forerunner was killed. */
static void
name_mark(char *path, size_t cap)
{
	(void)snprintf(path, cap, "%s/.svlog", all.dirs.run);
}

void
svlog_streams_open(const struct svlog_dirs *dirs)
{
	char path[SVLOG_PATH];
	int fd;

	all.dirs = *dirs;
	name_mark(path, sizeof path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	all.unclean = fd < 0 && errno == EEXIST;
	if (fd >= 0)
		(void)close(fd);
	svlog_streams_scan();
	all.unclean = false;
}

static size_t
waiting(void)
{
	size_t sum = 0;
	int i, n;

	for (i = 0; i < all.n; i++) {
		n = 0;
		if (ioctl(all.sorted[i]->fifo, FIONREAD, &n) == 0 && n > 0)
			sum += (size_t)n;
	}
	return sum;
}

/* What is there now has more time than what is still to come: at a shutdown
 * nobody else will read it, and a flood has no end. */
void
svlog_streams_drain(int64_t deadline_ms, int64_t last_ms)
{
	size_t sum, taken = 0, there = waiting();
	char path[SVLOG_PATH];
	int i;

	do {
		for (sum = 0, i = 0; i < all.n; i++) {
			if (all.sorted[i]->former >= 0)
				svlog_stream_pump_former(all.sorted[i]);
			if (svlog_stream_has_bytes(all.sorted[i]))
				sum += svlog_stream_pump(all.sorted[i]);
		}
		taken += sum;
	} while (sum > 0 && os_now_ms() < (taken < there ? last_ms :
	    deadline_ms));
	svlog_squeeze_end();
	name_mark(path, sizeof path);
	(void)unlink(path);
}
