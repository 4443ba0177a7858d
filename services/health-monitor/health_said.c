/* SPDX-License-Identifier: ISC */
/*
 * Verdicts on what a service writes to its own log, by the texts that the
 * operator gave. A line is a claim: it counts only beside good answers of a
 * service that is not busy, several of them must come within a window, and a
 * deep probe that is good outweighs them: one that was asked for their sake is
 * waited for.
 */
#include <stdio.h>
#include <string.h>

#include "health_judge.h"
#include "health_verdict.h"

static bool
is_recent(int64_t at_ms, int64_t now_ms)
{
	return at_ms != 0 && now_ms - at_ms < SAID_WINDOW_MS;
}

void
said_take(struct history *h, const struct round *r)
{
	if (!is_recent(h->said_ms, r->now_ms))
		said_forget(h);
	if (r->said_bad > 0) {
		h->said_bad += r->said_bad;
		h->said_ms = r->now_ms;
		(void)memcpy(h->said, r->said, sizeof h->said);
	} else if (r->said_warn > 0) {
		h->warn_ms = r->now_ms;
		(void)memcpy(h->warned, r->said, sizeof h->warned);
	}
}

void
said_forget(struct history *h)
{
	h->said_bad = 0;
	h->said_ms = 0;
	h->said_wedged = false;
	h->said_remedy = REMEDY_NONE;
}

bool
judge_said(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j)
{
	if (r->now_ms < h->quiet_ms || h->said_bad == 0)
		return false;
	if (!h->said_wedged && (h->said_bad < rules->threshold ||
	    r->deep_due))
		return false;
	if (!h->said_wedged) {
		h->said_wedged = true;
		h->said_remedy = rules->can_unload && !h->unloaded &&
		    !r->idle ? REMEDY_UNLOAD : REMEDY_RESTART;
		(void)snprintf(j->why, sizeof j->why, "fails: its log says, "
		    "%d times: %s", h->said_bad, h->said);
	}
	j->remedy = h->said_remedy;
	judge_settle(h, j, VERDICT_WEDGED);
	return true;
}

bool
judge_warned(struct history *h, const struct round *r, struct judgement *j)
{
	if (!is_recent(h->warn_ms, r->now_ms))
		return false;
	(void)snprintf(j->why, sizeof j->why, "answers, but its log says: %s",
	    h->warned);
	judge_settle(h, j, VERDICT_DEGRADED);
	return true;
}
