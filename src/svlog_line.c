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

size_t
svlog_lines(struct buf *out, const char *in, size_t n, bool *open,
    const char *stamp)
{
	size_t taken = 0, len, before;
	const char *end;

	while (taken < n) {
		before = stamp != NULL && !*open ? SVLOG_STAMP : 0;
		if (buf_room(out) <= before)
			break;
		end = memchr(in + taken, '\n', n - taken);
		len = end != NULL ? (size_t)(end - in) + 1 - taken :
		    n - taken;
		if (len > buf_room(out) - before) {
			if (out->len > 0)	/* whole lines, if we can */
				break;
			len = buf_room(out) - before;
		}
		if (before > 0)
			buf_put(out, stamp, before);
		buf_put(out, in + taken, len);
		taken += len;
		*open = in[taken - 1] != '\n';
	}
	return taken;
}
