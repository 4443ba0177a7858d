/* SPDX-License-Identifier: ISC */
/*
 * A ceiling with hysteresis, and leaks: memory that grows from mark to mark
 * for an hour, by half and by more than LEAK_LEAST. What loads a model or
 * fills a cache grows as well, but not in each of six steps.
 */
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "oom_trend.h"

#define LEAK_LEAST	(INT64_C(256) << 20)
#define STEP_LEAST	(INT64_C(1) << 20)

static bool
grows(const struct trend *t)
{
	const int64_t first = t->mark[0], last = t->mark[TREND_MARKS - 1];
	int i;

	if (t->n < TREND_MARKS || last - first < LEAK_LEAST ||
	    last - first < first / 2)
		return false;
	for (i = 1; i < TREND_MARKS; i++)
		if (t->mark[i] - t->mark[i - 1] < STEP_LEAST)
			return false;
	return true;
}

static void
make_mark(struct trend *t, int64_t rss, int64_t now_ms)
{
	t->mark_at_ms = now_ms + TREND_MARK_MS;
	if (t->n < TREND_MARKS) {
		t->mark[t->n++] = rss;
		return;
	}
	memmove(t->mark, t->mark + 1, sizeof t->mark - sizeof t->mark[0]);
	t->mark[TREND_MARKS - 1] = rss;
}

enum trend_news
trend_take(struct trend *t, int64_t rss, int64_t limit, int64_t now_ms)
{
	if (now_ms >= t->mark_at_ms) {
		make_mark(t, rss, now_ms);
		if (!t->leak_told && grows(t)) {
			t->leak_told = true;
			return TREND_LEAK;
		}
	}
	if (!t->above && limit > 0 && rss > limit) {
		t->above = true;
		return TREND_ABOVE;
	}
	/* A tenth below, so that it is not told again and again. */
	if (t->above && rss < limit - limit / 10) {
		t->above = false;
		return TREND_BELOW;
	}
	return TREND_NONE;
}

void
trend_words(const struct trend *t, enum trend_news news, int64_t rss,
    int64_t limit, char *dst, size_t cap)
{
	char now[24], other[24];

	size_words(rss, now, sizeof now);
	size_words(news == TREND_LEAK ? t->mark[0] : limit, other,
	    sizeof other);
	if (news == TREND_LEAK)
		(void)snprintf(dst, cap, "memory only grows: from %s to %s "
		    "in %d min; a leak?", other, now, (TREND_MARKS - 1) *
		    TREND_MARK_MS / 60000);
	else if (news == TREND_ABOVE)
		(void)snprintf(dst, cap, "memory %s is above max-memory %s",
		    now, other);
	else
		(void)snprintf(dst, cap, "memory is down to %s, below "
		    "max-memory %s", now, other);
}
