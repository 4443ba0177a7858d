/* SPDX-License-Identifier: ISC */
/*
 * Reads on in the log of a service, between two rounds, and counts the lines
 * that hold a text of [health] log-failing or log-warning. At most LOOK_MAX
 * bytes a round are read, the newest. What was written before the present run
 * had settled is the run's before it, or of its start, and does not count.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "health.h"
#include "os.h"
#include "when.h"

#define LOOK_MAX	65536
#define STAMP		28	/* "2026-11-24T17:02:22.668747Z " */
#define SETTLE_MS	1000

static bool
is_wanted(const struct target *t)
{
	return t->conf->health->log_failing.n > 0 ||
	    t->conf->health->log_warning.n > 0;
}

static int
open_log(const struct target *t)
{
	const char *dir = getenv("SVTREE_LOG");
	char path[1200];

	if (dir == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/%s/current", dir,
	    t->conf->name);
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

void
log_begin(struct target *t)
{
	log_end(t);
	if (!is_wanted(t))
		return;
	t->log.since_us = os_wall_us() -
	    (os_now_ms() - t->history.up_ms - SETTLE_MS) * 1000;
	if ((t->log.fd = open_log(t)) >= 0)
		t->log.at = lseek(t->log.fd, 0, SEEK_END);
}

void
log_end(struct target *t)
{
	if (t->log.fd >= 0)
		(void)close(t->log.fd);
	t->log = (struct logged){ .fd = -1 };
}

void
log_keep(struct target *t)
{
	if (!is_wanted(t))
		log_end(t);
	else if (t->up && t->log.since_us == 0)
		log_begin(t);
}

/* The line without its stamp; NULL: it is too old to count. */
static const char *
take_stamp(const struct target *t, const char *line, size_t *n)
{
	char stamp[STAMP];
	int64_t at_us;

	at_us = os_wall_us();
	if (*n > STAMP && line[10] == 'T' && line[26] == 'Z') {
		(void)memcpy(stamp, line, STAMP - 1);
		stamp[STAMP - 1] = '\0';
		at_us = when_parse(stamp);
		line += STAMP;
		*n -= STAMP;
	}
	return at_us < t->log.since_us ? NULL : line;
}

static bool
holds_one(const char *line, size_t n, const struct conf_list *texts)
{
	int i;

	for (i = 0; i < texts->n; i++)
		if (texts->v[i][0] != '\0' && memmem(line, n, texts->v[i],
		    strlen(texts->v[i])) != NULL)
			return true;
	return false;
}

static void
take_line(const struct target *t, const char *line, size_t n,
    struct round *r)
{
	const struct conf_health *h = t->conf->health;
	bool bad;

	if ((line = take_stamp(t, line, &n)) == NULL)
		return;
	bad = holds_one(line, n, &h->log_failing);
	if (!bad && (r->said_bad > 0 || !holds_one(line, n,
	    &h->log_warning)))
		return;
	if (evidence_is_of_a_probe(t, line, n))
		return;
	if (bad)
		r->said_bad++;
	else
		r->said_warn++;
	evidence_copy_line(line, n, r->said, sizeof r->said);
}

/* Whole lines only, unless one is longer than all that is read. */
static void
read_on(struct target *t, struct round *r)
{
	static char text[LOOK_MAX];
	const char *line, *end, *stop;
	off_t size;
	ssize_t got;

	size = lseek(t->log.fd, 0, SEEK_END);
	if (size < t->log.at)		/* emptied by somebody */
		t->log.at = 0;
	if (size - t->log.at > LOOK_MAX)
		t->log.at = size - LOOK_MAX;
	got = pread(t->log.fd, text, sizeof text, t->log.at);
	if (got <= 0)
		return;
	stop = text + got;
	for (line = text; line < stop; line = end + 1) {
		end = memchr(line, '\n', (size_t)(stop - line));
		if (end == NULL)
			break;
		take_line(t, line, (size_t)(end - line), r);
	}
	t->log.at += line > text ? line - text : got == LOOK_MAX ? got : 0;
}

/* svlog has begun another file. */
static bool
is_rotated(const struct target *t, int fd)
{
	struct stat old, now;

	return t->log.fd < 0 || fstat(t->log.fd, &old) < 0 ||
	    fstat(fd, &now) < 0 || old.st_ino != now.st_ino ||
	    old.st_dev != now.st_dev;
}

void
log_look(struct target *t, struct round *r)
{
	int fd;

	if (!is_wanted(t))
		return;
	if (t->log.fd >= 0)
		read_on(t, r);
	if ((fd = open_log(t)) < 0)
		return;
	if (!is_rotated(t, fd)) {
		(void)close(fd);
		return;
	}
	if (t->log.fd >= 0)
		(void)close(t->log.fd);
	t->log.fd = fd;
	t->log.at = 0;
	read_on(t, r);
}
