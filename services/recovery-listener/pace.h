/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_PACE_H
#define SVTREE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often. Pure: the time comes in.
 *
 * A request for recovery is a hint, and comes every minute from callers that
 * mistake a healthy stack for a sick one. While a recovery runs, requests
 * join it; after it they are answered without another one until a cool-down
 * is over, unless something is down that was not when it began. The
 * cool-down doubles while recoveries end in vain, so that a service that
 * cannot be healed is not restarted every minute for ever.
 */
struct bucket {
	int64_t	 millis;	/* thousandths of a request that are left */
	int64_t	 at_ms;
};

/* Takes one of burst, refilled by rate a second. False: *retry_s is when. */
bool bucket_take(struct bucket *b, int burst, int rate, int64_t now_ms,
    int *retry_s);

#define PACE_ILL_MAX	4096
#define PACE_GAP_MAX_MS	300000

struct pace {
	bool	 begun;		/* one was started since we began */
	int64_t	 started_ms;
	unsigned vain;		/* runs in a row that did not heal */
	char	 ill[PACE_ILL_MAX]; /* ",a,b,": what was down then */
};

struct situation {
	bool	 running;	/* a recovery is under way */
	bool	 in_vain;	/* the last one did not heal everything */
	const char *ill;	/* ",a,b,": what is down now */
};

enum pace_verdict { PACE_START, PACE_JOIN, PACE_COOLING };

enum pace_verdict pace_decide(const struct pace *p,
    const struct situation *s, int64_t cooldown_ms, int64_t now_ms);
void pace_started(struct pace *p, const struct situation *s, int64_t now_ms);

#endif
