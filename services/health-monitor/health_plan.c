/* SPDX-License-Identifier: ISC */
/*
 * The order in which things are done about a verdict, the pace of the
 * probes, and lost time. The ladder: what failed is confirmed in place by
 * the verdict itself; then the soft action, then a restart, one LLM server
 * at a time, a few within the window; then it is only told.
 */
#include "health_plan.h"

#define START_MIN_MS	20
#define START_MAX_MS	1000
#define SLEPT_MS	2000	/* so much between the clocks was sleep */
#define FOREVER_US	(INT64_C(365) * 86400 * 1000000)
#define OVERDUE_US	INT64_C(10000000)	/* a model goes at once */
#define LATE_MS		1000	/* so late after the end of a wait, too */

static void
forget_old(struct ladder *l, int64_t now_ms)
{
	int i, kept = 0;

	for (i = 0; i < l->n; i++)
		if (now_ms - l->restart_ms[i] < LADDER_WINDOW_MS)
			l->restart_ms[kept++] = l->restart_ms[i];
	l->n = kept;
}

enum step
ladder_next(struct ladder *l, enum remedy remedy, bool others,
    int64_t now_ms, int64_t again_ms)
{
	if (remedy == REMEDY_NONE)
		return STEP_NONE;
	if (remedy == REMEDY_UNLOAD)
		return STEP_UNLOAD;
	if (l->asked && now_ms - l->asked_ms < again_ms)
		return STEP_NONE;
	forget_old(l, now_ms);
	if (l->n == LADDER_RESTARTS) {
		if (l->gave_up)
			return STEP_NONE;
		l->gave_up = true;
		return STEP_GIVE_UP;
	}
	if (others)
		return STEP_HOLD;
	l->gave_up = false;
	l->asked = true;
	l->asked_ms = now_ms;
	l->restart_ms[l->n++] = now_ms;
	return STEP_RESTART;
}

void
ladder_take_back(struct ladder *l)
{
	l->asked = false;
	if (l->n > 0)
		l->n--;
}

void
ladder_started(struct ladder *l, bool by_hand)
{
	l->asked = false;
	if (!by_hand)
		return;
	l->n = 0;
	l->gave_up = false;
}

/* A tenth up or down, so that the probes of many services part. */
static int64_t
jitter(int64_t ms, uint32_t random)
{
	int64_t span = ms / 5;

	return span <= 0 ? ms : ms - ms / 10 + random % (uint32_t)span;
}

int64_t
plan_next(const struct pace *p, const struct history *h, bool again,
    int64_t begun_ms, int64_t now_ms)
{
	int64_t next, wait;

	if (h->ready_ms == 0 && h->fails == 0 &&
	    h->verdict != VERDICT_FOREIGN) {
		/* Not there yet: the sooner it is seen the better, and the
		 * longer it takes the less that matters. */
		wait = (now_ms - h->up_ms) / 4;
		if (wait < START_MIN_MS)
			wait = START_MIN_MS;
		if (wait > START_MAX_MS)
			wait = START_MAX_MS;
		if (wait > p->interval_ms)
			wait = p->interval_ms;
		return now_ms + wait;
	}
	if (again) {
		wait = p->timeout_ms < p->interval_ms ? p->timeout_ms :
		    p->interval_ms;
		next = begun_ms + wait;
		return next > now_ms ? next : now_ms;
	}
	return now_ms + jitter(p->interval_ms, p->random);
}

int64_t
naps_lost(struct naps *n, int64_t now_ms, int64_t awake_ms, int64_t due_ms)
{
	int64_t asleep = awake_ms - now_ms, slept = asleep - n->asleep_ms;
	bool known = n->known;

	n->known = true;
	n->asleep_ms = asleep;
	if (known && slept > SLEPT_MS)
		return slept;
	if (due_ms >= 0 && now_ms - due_ms > LATE_MS)
		return now_ms - due_ms;
	return 0;
}

bool
plan_may_push(int64_t expires_us, int64_t now_us)
{
	return expires_us != 0 && (expires_us > now_us + FOREVER_US ||
	    expires_us < now_us - OVERDUE_US);
}
