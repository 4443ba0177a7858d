/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_TREND_H
#define SVTREE_OOM_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The resident memory of one run of a service over time: is it above what it
 * may be, and does it only ever grow? Pure.
 */
#define TREND_MARK_MS	(10 * 60 * 1000)
#define TREND_MARKS	7	/* six steps: an hour */

struct trend {			/* begins as zeroes, with each run */
	int64_t	 mark[TREND_MARKS]; /* the last is the newest */
	int	 n;
	int64_t	 mark_at_ms;	/* when the next is made */
	bool	 above;
	bool	 leak_told;	/* once in a run */
};

enum trend_news { TREND_NONE, TREND_ABOVE, TREND_BELOW, TREND_LEAK };

/* limit in bytes, 0 none. */
enum trend_news trend_take(struct trend *t, int64_t rss, int64_t limit,
    int64_t now_ms);
/* What to say of it. */
void trend_words(const struct trend *t, enum trend_news news, int64_t rss,
    int64_t limit, char *dst, size_t cap);

#endif
