/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_PLAN_H
#define SVTREE_HEALTH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "health_verdict.h"

/*
 * When to ask again, what to do next, and what a jump of the clock means.
 * Pure: times are handed in.
 */

/* Restarts of one service that the monitor asks for, within the window; what
 * is above is told, not done. A person's start, or health that lasted as
 * long as the window, gives all of them back. */
#define LADDER_RESTARTS	3
#define LADDER_WINDOW_MS (30 * 60 * 1000)

enum step {
	STEP_NONE,
	STEP_UNLOAD,		/* the soft action */
	STEP_RESTART,
	STEP_HOLD,		/* another LLM server is under repair */
	STEP_GIVE_UP		/* the restarts are used up; told once */
};

struct ladder {
	int64_t	 restart_ms[LADDER_RESTARTS]; /* the last ones */
	int	 n;
	bool	 asked;		/* a restart of the present run was asked for */
	int64_t	 asked_ms;
	bool	 gave_up;
};

/* The next rung. again_ms: an order that had no effect is repeated. */
enum step ladder_next(struct ladder *l, enum remedy remedy, bool others,
    int64_t now_ms, int64_t again_ms);
/* The order to restart could not be given: it does not count. */
void ladder_take_back(struct ladder *l);
/* A new run of the service begins; by_hand: a person wanted it. */
void ladder_started(struct ladder *l, bool by_hand);

struct pace {
	int64_t	 interval_ms, timeout_ms;
	uint32_t random;
};

/* When the next round begins, after the one that began at begun_ms. */
int64_t plan_next(const struct pace *p, const struct history *h, bool again,
    int64_t begun_ms, int64_t now_ms);

/* A loaded model whose time of expiry our request would push: does that keep
 * nothing in memory that would have gone? One that never goes, or is there
 * though its time is over (a request hangs in it). Wall clock; 0 unknown. */
bool plan_may_push(int64_t expires_us, int64_t now_us);

/* Clock jumps: sleep of the machine, or of ourselves. */
struct naps {
	bool	 known;
	int64_t	 asleep_ms;	/* os_awake_ms - os_now_ms, last seen */
};

/* Milliseconds lost since the last call: the machine slept, or this process
 * came back from its wait later than late_ms after due_ms (stopped, starved).
 * 0: none worth a word. */
int64_t naps_lost(struct naps *n, int64_t now_ms, int64_t awake_ms,
    int64_t due_ms);

#endif
