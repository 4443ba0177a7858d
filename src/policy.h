/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_POLICY_H
#define SVTREE_POLICY_H

#include <stdint.h>

#include "conf.h"
#include "machine.h"
#include "record.h"

/*
 * What to do when a run has ended: pure. The first failure after a healthy
 * run is restarted at once; the next ones wait, doubling from restart-delay
 * to restart-max-delay; too many in restart-window trip the breaker, which
 * tries again after 5, 15, 60 minutes.
 */
#define POLICY_HEALTHY_MS	5000	/* a run this long was a healthy one */
#define POLICY_DECAY_MS		60000	/* one failure is forgotten per this */

struct verdict {
	enum event event;	/* EV_AGAIN, EV_DELAY, EV_TRIP, EV_REST */
	int64_t	 delay_ms;	/* EV_DELAY, EV_TRIP; -1: never */
	const char *why;	/* a phrase for the reason, or "" */
};

/* The earlier of two deadlines; -1 is none. */
int64_t policy_sooner(int64_t a, int64_t b);
/* Was the exit code of the last run one of success? */
bool policy_is_success(const struct conf_service *conf,
    const struct record *r);
/* Was the end of the run a failure, so that a hook is to be told? */
bool policy_is_failure(const struct record *r);
/* Decides and brings the counters in r (streak, window, trips, restarts,
 * again, want of what has done its run) up to date. dice is a random number
 * for the jitter. */
struct verdict policy_decide(const struct conf_service *conf,
    struct record *r, int64_t now_ms, uint32_t dice);
/* A timer whose next run is due at due_ms (0: not known yet): does it run now,
 * and when is it due then? */
struct timer_verdict {
	bool	 run;
	int64_t	 due_ms;
};
struct timer_verdict policy_timer(const struct conf_service *conf,
    int64_t due_ms, int64_t now_ms, uint32_t dice);
/* A person's start: all counters of failure begin anew. */
void policy_reset(struct record *r);

#endif
