/* SPDX-License-Identifier: ISC */
/*
 * Messages to standard error, one write per line so that lines of several
 * processes do not mix. Knows no levels but warnings, and never exits.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static const char *program = "svtree";

void
log_open(const char *name)
{
	program = name;
}

const char *
log_name(void)
{
	return program;
}

static void put(const char *kind, int error, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void
put(const char *kind, int error, const char *fmt, va_list ap)
{
	char line[1024];
	size_t n, room = sizeof line - 1;

	snprintf(line, room, "%s: %s", program, kind);
	n = strlen(line);
	vsnprintf(line + n, room - n, fmt, ap);
	n = strlen(line);
	if (error != 0)
		snprintf(line + n, room - n, ": %s", strerror(error));
	n = strlen(line);
	line[n++] = '\n';
	/* Nobody is left to be told when this fails. */
	if (write(STDERR_FILENO, line, n) < 0)
		return;
}

void
log_info(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	put("", 0, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warn(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	put("warning: ", saved, fmt, ap);
	va_end(ap);
	errno = saved;
}

void
log_warnx(const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	put("warning: ", 0, fmt, ap);
	va_end(ap);
	errno = saved;
}
