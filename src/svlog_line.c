/* SPDX-License-Identifier: ISC */
/*
 * Stamps before lines. Bytes in, bytes out; no clock, no descriptor.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "svlog.h"

void
svlog_stamp(char *dst, int64_t wall_us)
{
	static char second[24];		/* the date of last time */
	static time_t last = -1;
	time_t now = (time_t)(wall_us / 1000000);
	int us = (int)(wall_us % 1000000), i;
	struct tm tm;

	if (now != last && gmtime_r(&now, &tm) != NULL) {
		(void)strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S.",
		    &tm);
		last = now;
	}
	memcpy(dst, second, 20);
	for (i = 25; i >= 20; i--, us /= 10)
		dst[i] = (char)('0' + us % 10);
	dst[26] = 'Z';
	dst[27] = ' ';
}

/* This runs for every line of every service: no call but memchr and memcpy. */
size_t
svlog_lines(struct buf *out, const char *in, size_t n, bool *open,
    const char *stamp)
{
	char *to = out->base + out->len, *limit = out->base + out->cap;
	const char *from = in, *all = in + n, *end;
	size_t len, before;

	while (from < all) {
		before = stamp != NULL && !*open ? SVLOG_STAMP : 0;
		if ((size_t)(limit - to) <= before)
			break;
		end = memchr(from, '\n', (size_t)(all - from));
		len = (size_t)((end != NULL ? end + 1 : all) - from);
		if (len > (size_t)(limit - to) - before) {
			if (to > out->base)	/* whole lines, if we can */
				break;
			len = (size_t)(limit - to) - before;
		}
		if (before > 0)
			memcpy(to, stamp, SVLOG_STAMP);
		memcpy(to + before, from, len);
		to += before + len;
		from += len;
		*open = from[-1] != '\n';
	}
	out->len = (size_t)(to - out->base);
	return (size_t)(from - in);
}
