/* SPDX-License-Identifier: ISC */
/*
 * The end of a process that cannot go on. Apart from log.c, so that a
 * program's modules can be linked without it.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "log.h"

static void say(int error, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

static void
say(int error, const char *fmt, va_list ap)
{
	fprintf(stderr, "%s: fatal: ", log_name());
	vfprintf(stderr, fmt, ap);
	if (error != 0)
		fprintf(stderr, ": %s", strerror(error));
	fputc('\n', stderr);
}

void
die(int code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	say(saved, fmt, ap);
	va_end(ap);
	exit(code);
}

void
diex(int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(0, fmt, ap);
	va_end(ap);
	exit(code);
}
