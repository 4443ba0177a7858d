/* SPDX-License-Identifier: ISC */
/*
 * The growth of a log: bounded by its caps it fills no disk, but one that is
 * overwritten within the hour has nothing left of what is asked for after a
 * crash. The measure is thus the time that the kept bytes last.
 */
#include <inttypes.h>
#include <stdio.h>

#include "box.h"
#include "oom_growth.h"

#define MIB	(INT64_C(1) << 20)

void
bytes_words(int64_t bytes, char *dst, size_t cap)
{
	if (bytes < MIB)
		(void)snprintf(dst, cap, "%" PRId64 " KiB", bytes >> 10);
	else
		size_words(bytes, dst, cap);
}

/* How long the kept bytes last at that rate. */
static int64_t
lasts_ms(int64_t rate, int64_t kept)
{
	if (rate < GROWTH_LEAST)
		return INT64_MAX;
	if (kept > INT64_MAX / 60000)
		return INT64_MAX;
	return kept * 60000 / rate;
}

static int64_t
written(const struct growth *g, const struct log_look *look)
{
	int64_t n = look->size - g->last.size + look->rotated;

	/* Another file, and none was rotated: it was taken away. */
	if (look->file != g->last.file && look->rotated == 0)
		n = look->size;
	return n > 0 ? n : 0;
}

enum growth_news
growth_take(struct growth *g, const struct log_look *look, int64_t kept,
    int64_t now_ms)
{
	int64_t past_ms = now_ms - g->at_ms, lasts;
	bool says;

	if (!g->known || past_ms <= 0) {
		*g = (struct growth){ .known = true, .last = *look,
		    .at_ms = now_ms, .fast = g->fast };
		return GROWTH_NONE;
	}
	g->rate = (int64_t)((double)written(g, look) * 60000 /
	    (double)past_ms);
	g->last = *look;
	g->at_ms = now_ms;
	lasts = lasts_ms(g->rate, kept);
	says = g->fast ? lasts < 2 * GROWTH_HOUR_MS : lasts < GROWTH_HOUR_MS;
	if (says == g->fast) {
		g->agree = 0;
		return GROWTH_NONE;
	}
	if (++g->agree < GROWTH_LOOKS)
		return GROWTH_NONE;
	g->agree = 0;
	g->fast = says;
	return says ? GROWTH_FAST : GROWTH_CALM;
}

void
growth_words(const struct growth *g, enum growth_news news, int64_t kept,
    char *dst, size_t cap)
{
	char rate[24], all[24], time[24];
	int64_t lasts = lasts_ms(g->rate, kept);

	bytes_words(g->rate, rate, sizeof rate);
	bytes_words(kept, all, sizeof all);
	if (lasts < 120000)
		(void)snprintf(time, sizeof time, "%d s",
		    (int)(lasts / 1000));
	else
		(void)snprintf(time, sizeof time, "%d min",
		    (int)(lasts % GROWTH_HOUR_MS / 60000));
	if (news == GROWTH_FAST)
		(void)snprintf(dst, cap, "its log grows by %s a minute: the "
		    "%s that are kept hold the last %s", rate, all, time);
	else
		(void)snprintf(dst, cap, "its log grows slowly again: by %s "
		    "a minute", rate);
}
