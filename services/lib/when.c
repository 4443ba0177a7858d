/* SPDX-License-Identifier: ISC */
/*
 * Times as they stand in the status. Pure.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "when.h"

/* "+02:00" */
static bool
read_offset(const char *s, int64_t *east_s)
{
	int hours, minutes, n = 0;

	if ((*s != '+' && *s != '-') || sscanf(s + 1, "%2d:%2d%n", &hours,
	    &minutes, &n) != 2 || s[1 + n] != '\0' || hours < 0 ||
	    minutes < 0)
		return false;
	*east_s = (hours * 60 + minutes) * (*s == '-' ? -60 : 60);
	return true;
}

int64_t
when_parse(const char *s)
{
	struct tm tm = { .tm_isdst = 0 };
	int64_t us = 0, scale = 100000, east_s = 0;
	int n = 0;

	if (sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return 0;
	s += n;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, scale /= 10)
			us += (*s - '0') * scale;
	if (strcmp(s, "Z") != 0 && !read_offset(s, &east_s))
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return ((int64_t)timegm(&tm) - east_s) * 1000000 + us;
}
