/* SPDX-License-Identifier: ISC */
/*
 * Times and durations as people write and read them.
 */
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "conf.h"
#include "os.h"
#include "svctl.h"

#define US	INT64_C(1000000)
#define DAY	INT64_C(86400)

/* So many digits; moves *text behind them. -1: no digits. */
static int
digits(const char **text, int n)
{
	int value = 0;

	for (; n > 0; n--, ++*text) {
		if (!isdigit((unsigned char)**text))
			return -1;
		value = value * 10 + **text - '0';
	}
	return value;
}

/* "2026-11-24T12:00:00" without sscanf: a table has a thousand of them. */
static int
take_date(const char **text, struct tm *tm)
{
	static const struct {
		size_t	 at;
		int	 digits;
		const char *then;	/* one of these follows */
	} parts[] = {
		{ offsetof(struct tm, tm_year), 4, "-" },
		{ offsetof(struct tm, tm_mon), 2, "-" },
		{ offsetof(struct tm, tm_mday), 2, "Tt " },
		{ offsetof(struct tm, tm_hour), 2, ":" },
		{ offsetof(struct tm, tm_min), 2, ":" },
		{ offsetof(struct tm, tm_sec), 2, ".Zz" },
	};
	size_t i;
	int n;

	for (i = 0; i < nitems(parts); i++) {
		if ((n = digits(text, parts[i].digits)) < 0 || **text == '\0' ||
		    strchr(parts[i].then, **text) == NULL)
			return -1;
		memcpy((char *)tm + parts[i].at, &n, sizeof n);
		if (i + 1 < nitems(parts))
			++*text;
	}
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

int64_t
ctl_time_us(const char *rfc3339)
{
	int64_t us = 0, unit = US / 10;
	struct tm tm = { 0 };

	if (take_date(&rfc3339, &tm) < 0)
		return -1;
	if (*rfc3339 == '.')
		for (rfc3339++; isdigit((unsigned char)*rfc3339); rfc3339++) {
			us += (*rfc3339 - '0') * unit;
			unit /= 10;
		}
	if (toupper((unsigned char)*rfc3339) != 'Z')
		return -1;
	return (int64_t)timegm(&tm) * US + us;
}

void
ctl_duration(char *dst, size_t cap, int64_t ms)
{
	static const struct {
		int64_t	 limit, unit;	/* seconds */
		const char *name;
	} units[] = {
		{ 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" },
		{ INT64_MAX, DAY, "d" },
	};
	size_t i = 0;

	if (ms < 9950) {
		(void)snprintf(dst, cap, "%.1f s", ms < 0 ? 0 :
		    (double)ms / 1000);
		return;
	}
	ms = (ms + 500) / 1000;
	while (ms >= units[i].limit)
		i++;
	(void)snprintf(dst, cap, "%lld %s",
	    (long long)((ms + units[i].unit / 2) / units[i].unit),
	    units[i].name);
}

void
ctl_ago(char *dst, size_t cap, const char *rfc3339)
{
	int64_t at = ctl_time_us(rfc3339), now = os_wall_us();

	if (at < 0)
		(void)snprintf(dst, cap, "-");
	else
		ctl_duration(dst, cap, (at < now ? now - at : at - now) /
		    1000);
}

void
ctl_local(char *dst, size_t cap, const char *rfc3339)
{
	int64_t at = ctl_time_us(rfc3339);
	time_t seconds = (time_t)(at / US);
	struct tm tm;

	if (at < 0 || localtime_r(&seconds, &tm) == NULL ||
	    strftime(dst, cap, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(dst, cap, "-");
}

/* Local wall time of the day that is `back` days before now. */
static int64_t
on_day(int64_t now_us, int back, int hour, int minute)
{
	time_t now = (time_t)(now_us / US);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL)
		return -1;
	tm.tm_mday -= back;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * US;
}

/* "2026-11-24" or "2026-11-24 14:30[:05]", local; -1 when it is no such. */
static int64_t
on_date(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };
	int n = 0, more = 0, last = 0;

	if (sscanf(text, "%4d-%2d-%2d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &n) != 3 || tm.tm_mon < 1 || tm.tm_mon > 12 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31)
		return -1;
	text += n;
	if (*text != '\0' && sscanf(text, "%*1[ T]%2d:%2d%n:%2d%n",
	    &tm.tm_hour, &tm.tm_min, &more, &tm.tm_sec, &last) < 2)
		return -1;
	if (text[last > more ? last : more] != '\0')
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)mktime(&tm) * US;
}

int
ctl_since(const char *text, int64_t now_us, int64_t *us)
{
	int64_t ms = conf_duration(text), at = ctl_time_us(text);
	int hour, minute, n = 0;

	if (ms >= 0)
		at = now_us - ms * 1000;
	else if (ctl_is(text, "today"))
		at = on_day(now_us, 0, 0, 0);
	else if (ctl_is(text, "yesterday"))
		at = on_day(now_us, 1, 0, 0);
	else if (sscanf(text, "%2d:%2d%n", &hour, &minute, &n) == 2 &&
	    text[n] == '\0' && hour < 24 && minute < 60 && hour >= 0 &&
	    minute >= 0) {
		at = on_day(now_us, 0, hour, minute);
		if (at > now_us)
			at = on_day(now_us, 1, hour, minute);
	} else if (at < 0) {
		at = on_date(text);
	}
	*us = at < 1 ? 1 : at;
	return at < 0 ? -1 : 0;
}
