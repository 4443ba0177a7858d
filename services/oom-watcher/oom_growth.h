/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_GROWTH_H
#define SVTREE_OOM_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How fast the log of a service grows, and whether what is kept of it is gone
 * too soon to be of use. Pure: sizes and times come in.
 */
#define GROWTH_LOOKS	2	/* in a row that must agree */
#define GROWTH_LEAST	(INT64_C(64) << 10)	/* bytes a minute */
#define GROWTH_HOUR_MS	(INT64_C(60) * 60 * 1000)

struct log_look {		/* one look at a log's directory */
	uint64_t file;		/* which file "current" is */
	int64_t	 size;		/* of it */
	int64_t	 rotated;	/* bytes rotated away since the last look */
	int64_t	 all;		/* bytes of all its files */
};

struct growth {			/* begins as zeroes */
	bool	 known;		/* there was a look before */
	struct log_look last;
	int64_t	 at_ms;
	int64_t	 rate;		/* bytes a minute, of the last look */
	int	 agree;		/* looks in a row that say otherwise */
	bool	 fast;		/* as told */
};

enum growth_news { GROWTH_NONE, GROWTH_FAST, GROWTH_CALM };

/* kept: the bytes that the log may have at most. Fast is what overwrites all
 * of it within an hour; calm again, what needs two. */
enum growth_news growth_take(struct growth *g, const struct log_look *look,
    int64_t kept, int64_t now_ms);
void growth_words(const struct growth *g, enum growth_news news,
    int64_t kept, char *dst, size_t cap);
/* "900 KiB", "12 MiB", "2.1 GiB" */
void bytes_words(int64_t bytes, char *dst, size_t cap);

#endif
