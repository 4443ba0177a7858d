/* SPDX-License-Identifier: ISC */
/*
 * Verdicts on a server that answers but may not compute: a deep probe that
 * failed is repeated, then the soft action is wanted, then the hard one.
 * What other probes say does not outweigh it.
 */
#include <stdio.h>

#include "health_judge.h"
#include "health_words.h"

static void
computes(struct history *h, const struct probe *p, struct judgement *j)
{
	h->unloaded = false;
	said_forget(h);
	if (!h->deep_bad)
		return;
	h->deep_bad = false;
	words_good(j->why, sizeof j->why, p);
	h->verdict = VERDICT_READY;
}

void
judge_deep(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j)
{
	const struct probe *p = &r->probe[LAYER_DEEP];

	if (class_of(p->out) != CLASS_FAILURE) {
		h->deep_fails = 0;
		if (p->out == OUT_OK)
			computes(h, p, j);
		judge_settle(h, j, h->verdict);
		return;
	}
	if ((p->out == OUT_SILENT && r->works) || r->now_ms < h->quiet_ms ||
	    ++h->deep_fails < DEEP_TRIES) {
		j->again = true;
		judge_settle(h, j, h->verdict);
		return;
	}
	h->deep_fails = 0;
	h->deep_bad = true;
	words_failure(j->why, sizeof j->why, p, rules->deep_timeout_ms,
	    DEEP_TRIES);
	h->deep_remedy = rules->can_unload && !h->unloaded ? REMEDY_UNLOAD :
	    REMEDY_RESTART;
	j->remedy = h->deep_remedy;
	judge_settle(h, j, VERDICT_WEDGED);
}

void
verdict_unloaded(struct history *h)
{
	h->unloaded = true;
	h->deep_remedy = REMEDY_NONE;
	said_forget(h);
}

bool
judge_computes_not(struct history *h, const struct round *r,
    struct judgement *j)
{
	if (r->idle)
		h->deep_bad = false;
	if (!h->deep_bad)
		return false;
	j->remedy = h->deep_remedy;
	judge_settle(h, j, VERDICT_WEDGED);
	return true;
}
