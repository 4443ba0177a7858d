/* SPDX-License-Identifier: ISC */
/*
 * From what probes brought to a verdict with its evidence and a remedy. Busy
 * is never failing: 503, 429, a model that loads, processes that use the CPU
 * while they are silent. Failing counts only after threshold rounds in a
 * row, and not before the first good answer within the start grace. A
 * server that answers with another user's models, or another's server on the
 * port, is no matter of restarting.
 */
#include <stdio.h>
#include <string.h>

#include "health_judge.h"
#include "health_verdict.h"
#include "health_words.h"

static const enum class classes[OUT_COUNT] = {
	[OUT_NONE] = CLASS_GOOD, [OUT_OK] = CLASS_GOOD,
	[OUT_DEGRADED] = CLASS_DEGRADED, [OUT_BUSY] = CLASS_BUSY,
	[OUT_LOADING] = CLASS_LOADING, [OUT_EMPTY] = CLASS_MISFIT,
	[OUT_MISSING] = CLASS_MISFIT, [OUT_WRONG] = CLASS_FAILURE,
	[OUT_SILENT] = CLASS_FAILURE, [OUT_REFUSED] = CLASS_FAILURE,
	[OUT_BROKEN] = CLASS_FAILURE,
};

enum class
class_of(enum outcome out)
{
	return classes[out];
}

/* The first of the layers that must answer which is not good, or the first
 * that was asked; NULL when none was. */
static const struct probe *
primary(const struct round *r)
{
	static const enum layer order[] = { LAYER_READY, LAYER_LIVE };
	const struct probe *p, *good = NULL;
	size_t i;

	for (i = 0; i < 2; i++) {
		p = &r->probe[order[i]];
		if (p->out == OUT_NONE)
			continue;
		if (class_of(p->out) != CLASS_GOOD)
			return p;
		if (good == NULL)
			good = p;
	}
	return good;
}

void
judge_settle(struct history *h, struct judgement *j, enum verdict v)
{
	j->verdict = v;
	h->verdict = v;
}

/* It did answer: nothing of what counts towards a failure stands. */
static void
answered(struct history *h, int64_t now_ms)
{
	h->fails = 0;
	h->loading_ms = 0;
	if (h->ready_ms == 0)
		h->ready_ms = now_ms;
}

static bool
is_starting(const struct rules *rules, const struct history *h, int64_t now)
{
	return h->ready_ms == 0 && now - h->up_ms < rules->start_grace_ms;
}

/* Silence of one that works, or says that it loads: within the load grace,
 * or as long as its processes use the CPU. */
static void
judge_loading(const struct rules *rules, struct history *h,
    const struct round *r, const struct probe *p, struct judgement *j)
{
	char since[24];

	if (h->loading_ms == 0)
		h->loading_ms = r->now_ms;
	if (!r->works && r->now_ms - h->loading_ms > rules->load_grace_ms) {
		words_time(since, sizeof since, rules->load_grace_ms);
		(void)snprintf(j->why, sizeof j->why, "hung: %s says for %s "
		    "that it loads, and no process works", p->what, since);
		j->remedy = REMEDY_RESTART;
		judge_settle(h, j, VERDICT_WEDGED);
		return;
	}
	words_answer(j->why, sizeof j->why, p);
	judge_settle(h, j, VERDICT_LOADING);
}

static void
judge_failure(const struct rules *rules, struct history *h,
    const struct round *r, const struct probe *p, struct judgement *j)
{
	if (is_starting(rules, h, r->now_ms)) {
		(void)snprintf(j->why, sizeof j->why, "starting: no good "
		    "answer to %s yet%s%s", p->what, p->detail[0] != '\0' ?
		    ": " : "", p->detail);
		judge_settle(h, j, VERDICT_STARTING);
		return;
	}
	if (p->out == OUT_SILENT && r->works) {
		if (h->loading_ms == 0)
			h->loading_ms = r->now_ms;
		/* A livelock works for ever: that, too, has an end. */
		if (r->now_ms - h->loading_ms <= rules->load_grace_ms) {
			(void)snprintf(j->why, sizeof j->why, "busy: silent "
			    "on %s, but its processes work", p->what);
			h->fails = 0;
			judge_settle(h, j, VERDICT_BUSY);
			return;
		}
	}
	if (r->now_ms < h->quiet_ms || ++h->fails < rules->threshold) {
		j->again = true;
		judge_settle(h, j, h->verdict);
		return;
	}
	words_failure(j->why, sizeof j->why, p, rules->timeout_ms,
	    rules->threshold);
	j->remedy = REMEDY_RESTART;
	judge_settle(h, j, p->out == OUT_REFUSED ? VERDICT_DEAD :
	    VERDICT_WEDGED);
}

static void
judge_misfit(struct history *h, const struct round *r, const struct probe *p,
    struct judgement *j)
{
	answered(h, r->now_ms);
	if (p->out == OUT_EMPTY)
		(void)snprintf(j->why, sizeof j->why, "%s says models: []: "
		    "none of user %s", p->what, r->user[0] != '\0' ? r->user :
		    "its own");
	else
		(void)snprintf(j->why, sizeof j->why, "%s: %s", p->what,
		    p->detail);
	judge_settle(h, j, VERDICT_FOREIGN);
}

/* / answers, /api/ps does not: a model loads (some engines hold the lock
 * meanwhile), or the scheduler hangs. True when that decides. */
static bool
judge_sched(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j)
{
	const struct probe *p = &r->probe[LAYER_SCHED];
	char since[24];

	if (p->out != OUT_SILENT) {
		if (p->out != OUT_NONE)
			h->sched_ms = h->sched_fails = 0;
		return false;
	}
	if (h->sched_ms == 0)
		h->sched_ms = r->now_ms;
	if (++h->sched_fails < rules->threshold) {
		j->again = true;
		judge_settle(h, j, h->verdict);
		return true;
	}
	if (r->works || r->now_ms < h->quiet_ms ||
	    r->now_ms - h->sched_ms < rules->load_grace_ms) {
		(void)snprintf(j->why, sizeof j->why, "busy: silent on %s: a "
		    "model loads, or its scheduler hangs", p->what);
		judge_settle(h, j, VERDICT_BUSY);
		return true;
	}
	words_time(since, sizeof since, rules->load_grace_ms);
	(void)snprintf(j->why, sizeof j->why, "hung: silent on %s for %s, "
	    "though it answers %s", p->what, since, primary(r)->what);
	j->remedy = REMEDY_RESTART;
	judge_settle(h, j, VERDICT_WEDGED);
	return true;
}

/* The other address is the operator's: a bridge that is not there, a bind to
 * loopback alone. No restart mends that. */
static bool
judge_also(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j)
{
	const struct probe *p = &r->probe[LAYER_ALSO];

	if (class_of(p->out) != CLASS_FAILURE) {
		h->also_fails = 0;
		return false;
	}
	if (r->now_ms < h->quiet_ms || ++h->also_fails < rules->threshold) {
		j->again = true;
		if (h->verdict == VERDICT_DEGRADED)
			judge_settle(h, j, h->verdict);
		return h->verdict == VERDICT_DEGRADED;
	}
	(void)snprintf(j->why, sizeof j->why, "answers, but not %s: %s",
	    p->what, p->out == OUT_SILENT ? "silent" : p->detail);
	judge_settle(h, j, VERDICT_DEGRADED);
	return true;
}

static void
judge_good(const struct rules *rules, struct history *h,
    const struct round *r, const struct probe *p, struct judgement *j)
{
	const struct probe *sched = &r->probe[LAYER_SCHED];

	answered(h, r->now_ms);
	if (judge_sched(rules, h, r, j) || judge_computes_not(h, r, j) ||
	    judge_said(rules, h, r, j))
		return;
	if (class_of(p->out) == CLASS_DEGRADED) {
		words_answer(j->why, sizeof j->why, p);
		judge_settle(h, j, VERDICT_DEGRADED);
	} else if (sched->out == OUT_DEGRADED || sched->out == OUT_WRONG) {
		words_answer(j->why, sizeof j->why, sched);
		judge_settle(h, j, VERDICT_DEGRADED);
	} else if (!judge_also(rules, h, r, j) && !judge_warned(h, r, j)) {
		words_good(j->why, sizeof j->why, p);
		judge_settle(h, j, VERDICT_READY);
	}
}

void
verdict_judge(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j)
{
	const struct probe *p = primary(r);

	*j = (struct judgement){ .verdict = h->verdict };
	said_take(h, r);
	if (r->foreign) {
		(void)snprintf(j->why, sizeof j->why, "%s", r->holder);
		/* When the port is free our own server begins to start. */
		h->up_ms = r->now_ms;
		h->ready_ms = 0;
		h->fails = 0;
		judge_settle(h, j, VERDICT_FOREIGN);
		return;
	}
	if (p == NULL) {
		judge_deep(rules, h, r, j);
		return;
	}
	switch (class_of(p->out)) {
	case CLASS_GOOD:
	case CLASS_DEGRADED:
		judge_good(rules, h, r, p, j);
		break;
	case CLASS_BUSY:
		answered(h, r->now_ms);
		words_answer(j->why, sizeof j->why, p);
		judge_settle(h, j, VERDICT_BUSY);
		break;
	case CLASS_LOADING:
		h->fails = 0;
		judge_loading(rules, h, r, p, j);
		break;
	case CLASS_MISFIT:
		judge_misfit(h, r, p, j);
		break;
	case CLASS_FAILURE:
		judge_failure(rules, h, r, p, j);
		break;
	}
}

bool
verdict_wants_holder(const struct history *h, const struct round *r)
{
	const struct probe *p = primary(r);

	if (p == NULL || p->out == OUT_REFUSED)
		return false;
	/* The first answer since the start, and whatever is not good. */
	return h->ready_ms == 0 || h->verdict == VERDICT_FOREIGN ||
	    class_of(p->out) == CLASS_MISFIT ||
	    class_of(p->out) == CLASS_FAILURE;
}

bool
verdict_wants_usage(const struct round *r)
{
	int i;

	for (i = 0; i < LAYER_COUNT; i++)
		if (r->probe[i].out == OUT_SILENT ||
		    r->probe[i].out == OUT_LOADING)
			return true;
	return false;
}
