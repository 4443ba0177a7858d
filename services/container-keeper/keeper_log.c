/* SPDX-License-Identifier: ISC */
/*
 * Writes what the container says to our standard output, which the logger
 * reads. Where a stream broke, the next begins; the stamps tell what was
 * written, and are left out, as the logger stamps every line itself.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http.h"
#include "keeper_log.h"
#include "log.h"
#include "os.h"
#include "when.h"

void
log_init(struct keeper_log *l, struct docker *d, const char *container,
    int64_t from_us)
{
	(void)memset(l, 0, sizeof *l);
	l->docker = d;
	l->container = container;
	l->from_us = from_us;
}

static void
write_all(const char *bytes, size_t n)
{
	ssize_t put;

	while (n > 0 && (put = write(1, bytes, n)) > 0) {
		bytes += put;
		n -= (size_t)put;
	}
}

static void
on_output(void *arg, const char *stamp, const char *bytes, size_t n)
{
	struct keeper_log *l = arg;

	if (*stamp != '\0') {
		if (strcmp(stamp, l->skip) <= 0)
			return;
		(void)snprintf(l->last, sizeof l->last, "%s", stamp);
	}
	write_all(bytes, n);
}

static void
on_end(void *arg, const char *why)
{
	struct keeper_log *l = arg;

	l->id = 0;
	if (*why != '\0' && !l->told)
		log_warnx("output of %s: %s", l->container, why);
	l->told |= *why != '\0';
}

void
log_follow(struct keeper_log *l, bool tty)
{
	int64_t from_us = l->from_us;

	if (l->id > 0)
		return;
	if (l->last[0] != '\0')
		from_us = when_parse(l->last);
	else if (tty)		/* no stamps: then from here on */
		l->from_us = os_wall_us();
	(void)memcpy(l->skip, l->last, sizeof l->skip);
	l->id = docker_logs(l->docker, &l->logs, l->container, tty, from_us,
	    on_output, on_end, l);
	if (l->id < 0)
		l->id = 0;
}

void
log_drop(struct keeper_log *l)
{
	if (l->id > 0)
		http_cancel(l->id);
	l->id = 0;
}

void
log_drain(struct keeper_log *l, bool tty, int64_t timeout_ms)
{
	int64_t end_ms = os_now_ms() + timeout_ms, left;

	log_follow(l, tty);
	while (l->id > 0 && (left = end_ms - os_now_ms()) > 0)
		(void)http_run((int)left, NULL, 0);
	log_drop(l);
}
