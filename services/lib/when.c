/* SPDX-License-Identifier: ISC */
/*
 * Times as they stand in the status. Pure.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "when.h"

int64_t
when_parse(const char *s)
{
	struct tm tm = { .tm_isdst = 0 };
	int64_t us = 0, scale = 100000;
	int n = 0;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return 0;
	s += n;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
			us += (*s - '0') * scale;
	if (strcmp(s, "Z") != 0)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000000 + us;
}
