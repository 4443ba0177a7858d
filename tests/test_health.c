/* SPDX-License-Identifier: ISC */
/*
 * health-monitor's pure parts: the verdict over rounds of probes, the ladder,
 * the pace, lost time, and what bodies of real servers say.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "health_body.h"
#include "health_plan.h"
#include "health_verdict.h"
#include "health_words.h"
#include "launcher.h"
#include "when.h"
#include "works.h"

static const struct rules rules = { .timeout_ms = 3000,
    .deep_timeout_ms = 30000, .start_grace_ms = 60000,
    .load_grace_ms = 300000, .threshold = 3, .can_unload = true };

/* --- one round in each situation: the table of verdicts */

enum { YOUNG = 1, WELL = 2, WORKS = 4, AGED = 8 };

struct row {
	const char	*name;
	int		 state;	/* YOUNG: in the start grace; WELL: was ready;
				   AGED: the load grace is over */
	int		 fails;	/* before this round */
	enum outcome	 ready, sched;
	enum verdict	 before, after;
	enum remedy	 remedy;
	const char	*why;	/* begins so */
};

#define U VERDICT_UNKNOWN
#define R VERDICT_READY
#define B VERDICT_BUSY
#define NO REMEDY_NONE
#define DO REMEDY_RESTART

static const struct row table[] = {
{ "good", WELL, 2, OUT_OK, OUT_OK, R, R, NO, "GET /r: 200 in 7 ms" },
{ "first answer", YOUNG, 0, OUT_OK, OUT_NONE, U, R, NO, "GET /r: 200" },
{ "not there yet", YOUNG, 0, OUT_REFUSED, OUT_REFUSED, U, VERDICT_STARTING,
    NO, "starting: no good answer to GET /r yet: detail" },
{ "silent while young", YOUNG, 9, OUT_SILENT, OUT_NONE, U, VERDICT_STARTING,
    NO, "starting" },
{ "young, but was well", YOUNG | WELL, 2, OUT_SILENT, OUT_NONE, R,
    VERDICT_WEDGED, DO, "hung: no answer to GET /r within 3 s, 3 times" },
{ "never came", 0, 2, OUT_REFUSED, OUT_NONE, VERDICT_STARTING, VERDICT_DEAD,
    DO, "dead: nobody listens (GET /r), 3 times" },
{ "first failure", WELL, 0, OUT_SILENT, OUT_SILENT, R, R, NO, "" },
{ "second failure", WELL, 1, OUT_REFUSED, OUT_REFUSED, R, R, NO, "" },
{ "failure of a busy one", WELL, 1, OUT_SILENT, OUT_NONE, B, B, NO, "" },
{ "third: hung", WELL, 2, OUT_SILENT, OUT_SILENT, R, VERDICT_WEDGED, DO,
    "hung: no answer to GET /r within 3 s, 3 times" },
{ "third: dead", WELL, 2, OUT_REFUSED, OUT_REFUSED, R, VERDICT_DEAD, DO,
    "dead: nobody listens (GET /r), 3 times" },
{ "third: wrong", WELL, 2, OUT_WRONG, OUT_NONE, R, VERDICT_WEDGED, DO,
    "fails: GET /r answers 200, 3 times: detail" },
{ "third: broken", WELL, 2, OUT_BROKEN, OUT_NONE, R, VERDICT_WEDGED, DO,
    "fails: GET /r, 3 times: detail" },
{ "silent at work", WELL | WORKS, 2, OUT_SILENT, OUT_NONE, R, B, NO,
    "busy: silent on GET /r, but its processes work" },
{ "at work for too long", WELL | WORKS | AGED, 2, OUT_SILENT, OUT_NONE, B,
    VERDICT_WEDGED, DO, "hung: no answer" },
{ "refused at work", WELL | WORKS, 2, OUT_REFUSED, OUT_NONE, R,
    VERDICT_DEAD, DO, "dead" },
{ "503", WELL, 2, OUT_BUSY, OUT_BUSY, R, B, NO, "GET /r: 200: detail" },
{ "503 at the start", YOUNG, 0, OUT_BUSY, OUT_NONE, U, B, NO, "GET /r" },
{ "503 for ever", WELL | AGED, 9, OUT_BUSY, OUT_BUSY, B, B, NO, "GET /r" },
{ "loading", YOUNG, 0, OUT_LOADING, OUT_NONE, U, VERDICT_LOADING, NO,
    "GET /r: 200: detail" },
{ "loading later", WELL, 2, OUT_LOADING, OUT_NONE, R, VERDICT_LOADING, NO,
    "GET /r" },
{ "loading for too long", AGED, 0, OUT_LOADING, OUT_NONE, VERDICT_LOADING,
    VERDICT_WEDGED, DO, "hung: GET /r says for 5 min that it loads" },
{ "loading long at work", AGED | WORKS, 0, OUT_LOADING, OUT_NONE,
    VERDICT_LOADING, VERDICT_LOADING, NO, "GET /r" },
{ "no model", WELL, 9, OUT_EMPTY, OUT_OK, R, VERDICT_FOREIGN, NO,
    "GET /r says models: []: none of user ada" },
{ "not that model", WELL, 9, OUT_MISSING, OUT_OK, R, VERDICT_FOREIGN, NO,
    "GET /r: detail" },
{ "little memory", WELL, 0, OUT_DEGRADED, OUT_NONE, R, VERDICT_DEGRADED, NO,
    "GET /r: 200: detail" },
{ "on the CPU", WELL, 0, OUT_OK, OUT_DEGRADED, R, VERDICT_DEGRADED, NO,
    "GET /s: 200: detail" },
{ "ps silent once", WELL, 0, OUT_OK, OUT_SILENT, R, R, NO, "" },
{ "ps silent long", WELL | AGED, 0, OUT_OK, OUT_SILENT, B, VERDICT_WEDGED,
    DO, "hung: silent on GET /s for 5 min, though it answers GET /r" },
{ "ps silent at work", WELL | AGED | WORKS, 0, OUT_OK, OUT_SILENT, B, B, NO,
    "busy: silent on GET /s" },
{ "ps and tags silent", WELL, 2, OUT_SILENT, OUT_SILENT, R, VERDICT_WEDGED,
    DO, "hung: no answer to GET /r" },
};

#define NOW	10000000

static struct probe
probe(enum outcome out, const char *what)
{
	struct probe p = { .out = out, .elapsed_ms = 7 };

	(void)snprintf(p.what, sizeof p.what, "%s", what);
	if (out == OUT_OK)
		p.status = 200;
	else
		(void)snprintf(p.detail, sizeof p.detail, "detail");
	if (out != OUT_SILENT && out != OUT_REFUSED && out != OUT_BROKEN)
		p.status = 200;
	return p;
}

static struct history
history_of(const struct row *row)
{
	struct history h = { .fails = row->fails, .verdict = row->before };

	h.up_ms = NOW - (row->state & YOUNG ? 1000 : 9000000);
	h.ready_ms = row->state & WELL ? NOW - 500 : 0;
	if (row->state & AGED) {
		h.loading_ms = h.sched_ms = NOW - rules.load_grace_ms - 1;
		h.sched_fails = 9;
	}
	return h;
}

Test(health, every_situation_has_its_verdict)
{
	struct judgement j;
	struct history h;
	struct round r;
	size_t i;

	for (i = 0; i < nitems(table); i++) {
		const struct row *row = &table[i];

		h = history_of(row);
		r = (struct round){ .now_ms = NOW, .user = "ada",
		    .works = (row->state & WORKS) != 0 };
		r.probe[LAYER_READY] = probe(row->ready, "GET /r");
		r.probe[LAYER_SCHED] = probe(row->sched, "GET /s");
		verdict_judge(&rules, &h, &r, &j);
		cr_expect_eq(j.verdict, row->after, "%s: verdict %s",
		    row->name, verdict_name(j.verdict));
		cr_expect_eq(j.remedy, row->remedy, "%s: remedy %d",
		    row->name, (int)j.remedy);
		cr_expect(strncmp(j.why, row->why, strlen(row->why)) == 0 &&
		    (row->why[0] != '\0') == (j.why[0] != '\0'),
		    "%s: why: %s", row->name, j.why);
		cr_expect_eq(h.verdict, j.verdict, "%s", row->name);
		cr_expect(j.remedy == NO || strcmp(verdict_health(j.verdict,
		    true), "failing") == 0, "%s: a remedy for health",
		    row->name);
	}
}

/* --- rounds in a row */

static struct judgement
round_of(struct history *h, enum layer layer, enum outcome out, int64_t now)
{
	struct round r = { .now_ms = now };
	struct judgement j;

	r.probe[layer] = probe(out, "GET /x");
	verdict_judge(&rules, h, &r, &j);
	return j;
}

Test(health, a_good_answer_between_failures_begins_anew)
{
	static const enum outcome outs[] = { OUT_SILENT, OUT_SILENT, OUT_OK,
	    OUT_REFUSED, OUT_WRONG, OUT_BUSY, OUT_SILENT, OUT_BROKEN,
	    OUT_LOADING, OUT_SILENT, OUT_SILENT };
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct judgement j;
	size_t i;

	for (i = 0; i < nitems(outs); i++) {
		j = round_of(&h, LAYER_LIVE, outs[i], NOW + (int64_t)i * 3000);
		cr_expect_eq(j.remedy, NO, "round %zu", i);
	}
	j = round_of(&h, LAYER_LIVE, OUT_SILENT, NOW + 40000);
	cr_expect_eq(j.remedy, DO);
}

Test(health, a_failure_is_confirmed_soon)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };

	cr_expect(round_of(&h, LAYER_LIVE, OUT_SILENT, NOW).again);
	cr_expect(round_of(&h, LAYER_LIVE, OUT_SILENT, NOW).again);
	cr_expect(!round_of(&h, LAYER_LIVE, OUT_OK, NOW).again);
}

Test(health, after_sleep_nothing_counts_for_a_while)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY,
	    .quiet_ms = NOW + 10000 };
	int i;

	for (i = 0; i < 20; i++)
		cr_expect_eq(round_of(&h, LAYER_LIVE, OUT_SILENT,
		    NOW + i * 499).remedy, NO);
	cr_expect_eq(round_of(&h, LAYER_LIVE, OUT_SILENT, NOW + 10000).remedy,
	    NO);
	cr_expect_eq(round_of(&h, LAYER_LIVE, OUT_SILENT, NOW + 10001).remedy,
	    NO);
	cr_expect_eq(round_of(&h, LAYER_LIVE, OUT_SILENT, NOW + 10002).remedy,
	    DO);
}

Test(health, another_holder_is_named_and_our_start_counts_from_then)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW, .foreign = true,
	    .holder = "port 1 is held by pid 2 (x, user y)" };
	struct judgement j;

	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	verdict_judge(&rules, &h, &r, &j);
	cr_expect_eq(j.verdict, VERDICT_FOREIGN);
	cr_expect_eq(j.remedy, NO);
	cr_expect_str_eq(j.why, r.holder);
	j = round_of(&h, LAYER_READY, OUT_REFUSED, NOW + 50000);
	cr_expect_eq(j.verdict, VERDICT_STARTING);
}

Test(health, no_token_leads_to_unload_then_restart)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct judgement j;

	j = round_of(&h, LAYER_DEEP, OUT_SILENT, NOW);
	cr_expect(j.again && j.remedy == NO && j.verdict == VERDICT_READY);
	j = round_of(&h, LAYER_DEEP, OUT_WRONG, NOW + 1);
	cr_expect_eq(j.verdict, VERDICT_WEDGED);
	cr_expect_eq(j.remedy, REMEDY_UNLOAD);
	verdict_unloaded(&h);
	/* Other answers do not make it well. */
	j = round_of(&h, LAYER_READY, OUT_OK, NOW + 2);
	cr_expect_eq(j.verdict, VERDICT_WEDGED);
	cr_expect_eq(j.remedy, NO);
	(void)round_of(&h, LAYER_DEEP, OUT_SILENT, NOW + 3);
	j = round_of(&h, LAYER_DEEP, OUT_SILENT, NOW + 4);
	cr_expect_eq(j.remedy, DO);
	cr_expect_str_eq(j.why,
	    "hung: no answer to GET /x within 30 s, 2 times");
}

Test(health, a_token_or_an_idle_server_is_well_again)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW, .idle = true };
	struct judgement j;

	(void)round_of(&h, LAYER_DEEP, OUT_WRONG, NOW);
	(void)round_of(&h, LAYER_DEEP, OUT_WRONG, NOW);
	j = round_of(&h, LAYER_DEEP, OUT_OK, NOW);
	cr_expect_eq(j.verdict, VERDICT_READY);
	(void)round_of(&h, LAYER_DEEP, OUT_WRONG, NOW);
	(void)round_of(&h, LAYER_DEEP, OUT_WRONG, NOW);
	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	verdict_judge(&rules, &h, &r, &j);
	cr_expect_eq(j.verdict, VERDICT_READY);
}

Test(health, a_deep_probe_that_finds_it_busy_says_nothing)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW, .works = true };
	struct judgement j;
	int i;

	r.probe[LAYER_DEEP] = probe(OUT_SILENT, "POST /x");
	for (i = 0; i < 9; i++) {
		verdict_judge(&rules, &h, &r, &j);
		cr_expect_eq(j.remedy, NO);
	}
	for (i = 0; i < 9; i++)
		cr_expect_eq(round_of(&h, LAYER_DEEP, OUT_BUSY, NOW).remedy,
		    NO);
}

Test(health, a_server_without_soft_action_is_restarted)
{
	struct rules hard = rules;
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW };
	struct judgement j;

	hard.can_unload = false;
	r.probe[LAYER_DEEP] = probe(OUT_SILENT, "POST /x");
	verdict_judge(&hard, &h, &r, &j);
	verdict_judge(&hard, &h, &r, &j);
	cr_expect_eq(j.remedy, DO);
}

/* A good round in which its log has so many bad lines. */
static struct judgement
said(struct history *h, int bad, int warn, int64_t now)
{
	struct round r = { .now_ms = now, .said_bad = bad, .said_warn = warn,
	    .said = "out of memory" };
	struct judgement j;

	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	verdict_judge(&rules, h, &r, &j);
	return j;
}

Test(health, a_log_that_says_so_leads_to_unload_then_restart)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct judgement j;

	j = said(&h, 2, 0, NOW);
	cr_expect(j.verdict == VERDICT_READY && j.remedy == NO);
	j = said(&h, 1, 0, NOW + 1000);
	cr_expect_eq(j.verdict, VERDICT_WEDGED);
	cr_expect_eq(j.remedy, REMEDY_UNLOAD);
	cr_expect_str_eq(j.why,
	    "fails: its log says, 3 times: out of memory");
	verdict_unloaded(&h);
	j = said(&h, 0, 0, NOW + 2000);
	cr_expect_eq(j.verdict, VERDICT_READY);
	j = said(&h, 3, 0, NOW + 3000);
	cr_expect_eq(j.remedy, DO);
	/* It stands until a token says otherwise. */
	j = said(&h, 0, 0, NOW + 4000);
	cr_expect(j.verdict == VERDICT_WEDGED && j.remedy == DO);
	(void)round_of(&h, LAYER_DEEP, OUT_OK, NOW + 5000);
	j = said(&h, 0, 0, NOW + 6000);
	cr_expect_eq(j.verdict, VERDICT_READY);
}

Test(health, a_token_that_was_asked_for_its_words_is_waited_for)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW, .said_bad = 9, .deep_due = true };
	struct judgement j;

	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	verdict_judge(&rules, &h, &r, &j);
	cr_expect(j.verdict == VERDICT_READY && j.remedy == NO);
	(void)round_of(&h, LAYER_DEEP, OUT_OK, NOW + 1000);
	j = said(&h, 0, 0, NOW + 2000);
	cr_expect(j.verdict == VERDICT_READY && j.remedy == NO);

	/* None comes: what it says is all there is. Nothing is loaded that
	 * could be unloaded. */
	verdict_judge(&rules, &h, &r, &j);
	r.said_bad = 0;
	r.deep_due = false;
	r.idle = true;
	verdict_judge(&rules, &h, &r, &j);
	cr_expect(j.verdict == VERDICT_WEDGED && j.remedy == DO);
}

Test(health, few_lines_of_a_log_are_forgotten)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct judgement j;

	(void)said(&h, 2, 0, NOW);
	j = said(&h, 2, 0, NOW + SAID_WINDOW_MS);
	cr_expect_eq(j.verdict, VERDICT_READY);
	j = said(&h, 1, 0, NOW + SAID_WINDOW_MS + 1);
	cr_expect_eq(j.verdict, VERDICT_WEDGED);
	j = said(&h, 0, 0, NOW + 2 * SAID_WINDOW_MS + 1);
	cr_expect_eq(j.verdict, VERDICT_READY);
}

Test(health, a_busy_server_may_say_what_it_wants)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW, .said_bad = 99 };
	struct judgement j;

	r.probe[LAYER_READY] = probe(OUT_BUSY, "GET /x");
	verdict_judge(&rules, &h, &r, &j);
	cr_expect(j.verdict == VERDICT_BUSY && j.remedy == NO);
}

Test(health, a_warning_in_a_log_degrades_for_a_while)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct judgement j;

	j = said(&h, 0, 1, NOW);
	cr_expect(j.verdict == VERDICT_DEGRADED && j.remedy == NO);
	cr_expect_str_eq(j.why,
	    "answers, but its log says: out of memory");
	j = said(&h, 0, 0, NOW + SAID_WINDOW_MS - 1);
	cr_expect_eq(j.verdict, VERDICT_DEGRADED);
	j = said(&h, 0, 0, NOW + SAID_WINDOW_MS);
	cr_expect_eq(j.verdict, VERDICT_READY);
}

Test(health, the_other_address_makes_it_degraded_at_most)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW };
	struct judgement j;
	int i;

	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	r.probe[LAYER_ALSO] = probe(OUT_REFUSED, "at http://b:1");
	for (i = 0; i < 9; i++) {
		verdict_judge(&rules, &h, &r, &j);
		cr_expect_eq(j.remedy, NO);
		cr_expect_eq(j.verdict, i < 2 ? VERDICT_READY :
		    VERDICT_DEGRADED, "round %d", i);
	}
	cr_expect_str_eq(j.why, "answers, but not at http://b:1: detail");
	r.probe[LAYER_ALSO] = probe(OUT_OK, "at http://b:1");
	verdict_judge(&rules, &h, &r, &j);
	cr_expect_eq(j.verdict, VERDICT_READY);
}

Test(health, who_loads_is_unknown_before_the_first_answer)
{
	cr_expect_str_eq(verdict_health(VERDICT_LOADING, false), "unknown");
	cr_expect_str_eq(verdict_health(VERDICT_LOADING, true), "busy");
}

Test(health, the_system_is_asked_only_when_something_is_wrong)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct round r = { .now_ms = NOW };

	r.probe[LAYER_READY] = probe(OUT_OK, "GET /x");
	cr_expect(!verdict_wants_holder(&h, &r) && !verdict_wants_usage(&r));
	h.ready_ms = 0;
	cr_expect(verdict_wants_holder(&h, &r), "first answer");
	h.ready_ms = 1;
	r.probe[LAYER_READY] = probe(OUT_EMPTY, "GET /x");
	cr_expect(verdict_wants_holder(&h, &r) && !verdict_wants_usage(&r));
	r.probe[LAYER_READY] = probe(OUT_SILENT, "GET /x");
	cr_expect(verdict_wants_holder(&h, &r) && verdict_wants_usage(&r));
	r.probe[LAYER_READY] = probe(OUT_REFUSED, "GET /x");
	cr_expect(!verdict_wants_holder(&h, &r), "nobody listens");
}

Test(health, times_in_words)
{
	static const struct { int64_t ms; const char *words; } rows[] = {
		{ 250, "250 ms" }, { 1000, "1 s" }, { 1500, "1500 ms" },
		{ 30000, "30 s" }, { 119000, "119 s" }, { 300000, "5 min" },
	};
	char text[32];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		words_time(text, sizeof text, rows[i].ms);
		cr_expect_str_eq(text, rows[i].words);
	}
}

/* --- the ladder */

#define AGAIN	100000

Test(health, three_restarts_then_it_is_told_once)
{
	struct ladder l = { .n = 0 };
	int i;

	for (i = 0; i < LADDER_RESTARTS; i++) {
		cr_expect_eq(ladder_next(&l, DO, false, NOW + i, AGAIN),
		    STEP_RESTART);
		cr_expect_eq(ladder_next(&l, DO, false, NOW + i, AGAIN),
		    STEP_NONE, "it is under way");
		ladder_started(&l, false);
	}
	cr_expect_eq(ladder_next(&l, DO, false, NOW + 9, AGAIN),
	    STEP_GIVE_UP);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + 10, AGAIN), STEP_NONE);
	/* The first of them is forgotten. */
	cr_expect_eq(ladder_next(&l, DO, false, NOW + LADDER_WINDOW_MS,
	    AGAIN), STEP_RESTART);
	ladder_started(&l, false);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + LADDER_WINDOW_MS,
	    AGAIN), STEP_GIVE_UP);
	ladder_started(&l, true);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + LADDER_WINDOW_MS,
	    AGAIN), STEP_RESTART, "a person's start gives credit");
}

Test(health, an_order_without_effect_is_repeated)
{
	struct ladder l = { .n = 0 };

	(void)ladder_next(&l, DO, false, NOW, AGAIN);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + AGAIN - 1, AGAIN),
	    STEP_NONE);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + AGAIN, AGAIN),
	    STEP_RESTART);
	ladder_take_back(&l);
	cr_expect_eq(l.n, 1);
	cr_expect_eq(ladder_next(&l, DO, false, NOW + AGAIN, AGAIN),
	    STEP_RESTART, "one that was not given is tried again");
}

Test(health, one_at_a_time_and_soft_first)
{
	struct ladder l = { .n = 0 };

	cr_expect_eq(ladder_next(&l, NO, false, NOW, AGAIN), STEP_NONE);
	cr_expect_eq(ladder_next(&l, DO, true, NOW, AGAIN), STEP_HOLD);
	cr_expect_eq(ladder_next(&l, REMEDY_UNLOAD, true, NOW, AGAIN),
	    STEP_UNLOAD);
	cr_expect_eq(l.n, 0);
	cr_expect_eq(ladder_next(&l, DO, false, NOW, AGAIN), STEP_RESTART);
}

/* --- the pace */

Test(health, the_window_is_interval_and_threshold_timeouts)
{
	const struct pace p = { 10000, 3000, 0 };
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	int64_t t = NOW;

	/* Silent: a try takes the whole timeout, the next begins at once. */
	cr_expect_eq(plan_next(&p, &h, true, t, t + 3000), t + 3000);
	/* Refused: at once, so the next waits as long. */
	cr_expect_eq(plan_next(&p, &h, true, t, t + 1), t + 3000);
}

Test(health, the_pace_has_its_jitter)
{
	struct history h = { .ready_ms = 1, .verdict = VERDICT_READY };
	struct pace p = { 10000, 3000, 0 };
	int64_t next;
	uint32_t i;

	for (i = 0; i < 5000; i++) {
		p.random = i * 2654435761u;
		next = plan_next(&p, &h, false, NOW, NOW + 5) - NOW - 5;
		cr_assert(next >= 9000 && next < 11000, "%d", (int)next);
	}
	p.interval_ms = 1;
	cr_expect_eq(plan_next(&p, &h, false, NOW, NOW), NOW + 1);
}

Test(health, a_start_is_looked_at_in_growing_steps)
{
	const struct pace p = { 10000, 3000, 7 };
	struct history h = { .up_ms = NOW };
	int64_t now = NOW, next, step = 0;
	int rounds = 0;

	while (now < NOW + 60000) {
		next = plan_next(&p, &h, false, now, now);
		cr_assert(next - now >= 20 && next - now <= 1000);
		cr_assert_geq(next - now, step);
		step = next - now;
		now = next;
		rounds++;
	}
	cr_expect_lt(rounds, 90);
	h.verdict = VERDICT_FOREIGN;
	cr_expect_geq(plan_next(&p, &h, false, NOW, NOW), NOW + 9000,
	    "another's server is nothing to hurry for");
}

Test(health, lost_time_is_seen_by_either_clock)
{
	struct naps n = { .known = false };

	cr_expect_eq(naps_lost(&n, 1000, 5000, -1), 0, "first look");
	cr_expect_eq(naps_lost(&n, 2000, 6000, 2000), 0);
	cr_expect_eq(naps_lost(&n, 3000, 17000, 2900), 10000, "slept");
	cr_expect_eq(naps_lost(&n, 4000, 18000, -1), 0);
	cr_expect_eq(naps_lost(&n, 9000, 23000, 5000), 4000, "was stopped");
	cr_expect_eq(naps_lost(&n, 9500, 24500, 9000), 0, "a little late");
	cr_expect_eq(naps_lost(&n, 9900, 24900, 99999), 0, "early");
}

/* --- bodies */

#define TAGS	"{\"models\":[{\"name\":\"a:1b\",\"model\":\"a:1b\"," \
		"\"size\":5},{\"name\":\"b:latest\",\"model\":\"b:latest\"}]}"
#define V1	"{\"object\":\"list\",\"data\":[{\"id\":\"m\"}]}"
#define PS(vram) "{\"models\":[{\"name\":\"a:1b\",\"size\":100," \
		"\"expires_at\":\"2026-01-01T00:00:00Z\",\"size_vram\":" vram \
		"}]}"

static char *const wanted[] = { "b", "a:1b", NULL };
static char *const absent[] = { "b", "c:7b", NULL };

static const struct {
	enum server	 server;
	enum layer	 layer;
	int		 status;
	const char	*body;
	char		*const *wanted;
	enum outcome	 out;
	const char	*detail;
} bodies[] = {
{ SERVER_OLLAMA, LAYER_READY, 200, TAGS, NULL, OUT_OK, "2 models" },
{ SERVER_OLLAMA, LAYER_READY, 200, TAGS, wanted, OUT_OK, "2 models" },
{ SERVER_OLLAMA, LAYER_READY, 200, TAGS, absent, OUT_MISSING,
    "c:7b is not there, 2 others" },
{ SERVER_OLLAMA, LAYER_READY, 200, "{\"models\":[]}", NULL, OUT_EMPTY,
    "no model" },
{ SERVER_OLLAMA, LAYER_READY, 200, "{\"models\":null}", NULL, OUT_WRONG,
    "{\"models\":null}" },
{ SERVER_OLLAMA, LAYER_READY, 200, "<html>", NULL, OUT_WRONG, "<html>" },
{ SERVER_OLLAMA, LAYER_READY, 200, "", NULL, OUT_WRONG, "" },
{ SERVER_OLLAMA, LAYER_READY, 500, "{\"error\":\"x\"}", NULL, OUT_WRONG,
    "{\"error\":\"x\"}" },
{ SERVER_OLLAMA, LAYER_READY, 503, "{\"error\":\"server busy\"}", NULL,
    OUT_BUSY, "{\"error\":\"server busy\"}" },
{ SERVER_OLLAMA, LAYER_READY, 404, "404 page not found", NULL, OUT_WRONG,
    "404 page not found" },
{ SERVER_OLLAMA, LAYER_SCHED, 200, PS("100"), NULL, OUT_OK, "" },
{ SERVER_OLLAMA, LAYER_SCHED, 200, PS("40"), NULL, OUT_DEGRADED,
    "a:1b is only 40 % on the GPU" },
{ SERVER_OLLAMA, LAYER_SCHED, 200, "{\"models\":[]}", NULL, OUT_OK, "" },
{ SERVER_OLLAMA, LAYER_SCHED, 200, "[]", NULL, OUT_WRONG, "[]" },
{ SERVER_OLLAMA, LAYER_DEEP, 200, "{\"done\":true}\n", NULL, OUT_OK, "" },
{ SERVER_OLLAMA, LAYER_DEEP, 200, "{\"error\":\"gpu\"}", NULL, OUT_WRONG,
    "{\"error\":\"gpu\"}" },
{ SERVER_MLX, LAYER_LIVE, 200, "{\"status\":\"healthy\"}", NULL, OUT_OK,
    "" },
{ SERVER_MLX, LAYER_LIVE, 200, "{\"status\":\"online\"}", NULL, OUT_OK,
    "" },
{ SERVER_MLX, LAYER_LIVE, 200, "{\"status\":\"degraded\"}", NULL, OUT_BUSY,
    "says degraded: all slots are busy" },
{ SERVER_MLX, LAYER_LIVE, 200, "{\"status\":\"critical\"}", NULL,
    OUT_DEGRADED, "says critical: no memory left" },
{ SERVER_MLX, LAYER_LIVE, 200, "{\"status\":\"odd\"}", NULL, OUT_DEGRADED,
    "says odd" },
{ SERVER_MLX, LAYER_LIVE, 200, "ok", NULL, OUT_OK, "" },
{ SERVER_MLX, LAYER_LIVE, 429, "{\"detail\":\"Rate limit\"}", NULL,
    OUT_BUSY, "{\"detail\":\"Rate limit\"}" },
{ SERVER_MLX, LAYER_READY, 200, TAGS, wanted, OUT_OK, "2 models" },
{ SERVER_OPENAI, LAYER_LIVE, 200, "{\"status\":\"ok\"}", NULL, OUT_OK, "" },
{ SERVER_OPENAI, LAYER_LIVE, 200, V1, NULL, OUT_OK, "" },
{ SERVER_OPENAI, LAYER_LIVE, 503, "{\"error\":{\"code\":503,\"message\":"
    "\"Loading model\"}}", NULL, OUT_LOADING, "{\"error\":{\"code\":503,"
    "\"message\":\"Loading model\"}}" },
{ SERVER_OPENAI, LAYER_READY, 200, V1, absent, OUT_MISSING,
    "b is not there, 1 other" },
{ SERVER_HTTP, LAYER_LIVE, 204, "", NULL, OUT_OK, "" },
{ SERVER_HTTP, LAYER_LIVE, 302, "", NULL, OUT_OK, "" },
{ SERVER_HTTP, LAYER_LIVE, 401, "a\r\n\tb\x01\xff", NULL, OUT_WRONG,
    "a b??" },
};

Test(health, bodies_are_read_as_the_servers_mean_them)
{
	struct models m;
	struct answer a;
	struct probe p;
	size_t i;

	for (i = 0; i < nitems(bodies); i++) {
		m = (struct models){ .wanted = bodies[i].wanted,
		    .nwanted = bodies[i].wanted != NULL ? 2 : 0 };
		a = (struct answer){ .status = bodies[i].status,
		    .body = bodies[i].body, .len = strlen(bodies[i].body) };
		p = (struct probe){ .status = a.status };
		body_judge(bodies[i].server, bodies[i].layer, &a, &m, &p);
		cr_expect_eq(p.out, bodies[i].out, "row %zu (%s): %d", i,
		    a.body, (int)p.out);
		cr_expect_str_eq(p.detail, bodies[i].detail, "row %zu: %s",
		    i, p.detail);
	}
}

Test(health, a_list_that_was_cut_off_is_an_answer)
{
	struct models m = { .wanted = absent, .nwanted = 2 };
	struct answer a = { 200, TAGS, 20, true };
	struct probe p = { .status = 200 };

	body_judge(SERVER_OLLAMA, LAYER_READY, &a, &m, &p);
	cr_expect_eq(p.out, OUT_OK);
}

Test(health, what_is_loaded_is_known_from_ps)
{
	struct models m = { .nwanted = 0 };
	struct answer a = { 200, PS("100"), strlen(PS("100")), false };
	struct probe p = { .status = 200 };

	body_judge(SERVER_OLLAMA, LAYER_SCHED, &a, &m, &p);
	cr_expect_eq(m.nloaded, 1);
	cr_expect_str_eq(m.loaded, "a:1b");
	cr_expect_str_eq(m.expires, "2026-01-01T00:00:00Z");
	a.body = "{\"models\":[]}";
	a.len = strlen(a.body);
	body_judge(SERVER_OLLAMA, LAYER_SCHED, &a, &m, &p);
	cr_expect_eq(m.nloaded, 0);
	cr_expect_str_eq(m.loaded, "");
}

Test(health, a_deep_request_changes_nothing_of_the_model)
{
	static const char *const never[] = { "keep_alive", "num_ctx",
	    "num_batch", "num_gpu", "main_gpu", "use_mmap", "num_thread" };
	char text[256];
	size_t i, s;

	for (s = 0; s <= SERVER_OPENAI; s++) {
		cr_assert_eq(body_put_deep((enum server)s, "a \"b\"", text,
		    sizeof text), 0);
		cr_expect(strstr(text, "\"model\":\"a \\\"b\\\"\"") != NULL);
		for (i = 0; i < nitems(never); i++)
			cr_expect(strstr(text, never[i]) == NULL, "%s",
			    never[i]);
	}
	cr_expect_eq(body_put_deep(SERVER_OLLAMA, "model", text, 16), -1);
	cr_assert_eq(body_put_unload("m", text, sizeof text), 0);
	cr_expect_str_eq(text, "{\"model\":\"m\",\"keep_alive\":0}");
}

/* --- who started it */

#define ID	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OURS	"0::/system.slice/svtree.service\n"

Test(health, a_control_group_names_what_stops_it)
{
	static const struct {
		const char *cgroup, *advice;
	} rows[] = {
		{ "0::/system.slice/ollama.service\n",
		    "systemctl disable --now ollama" },
		{ "12:pids:/system.slice/ollama.service\n0::/x\n",
		    "systemctl disable --now ollama" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
		    "ollama.service\n",
		    "systemctl --user disable --now ollama" },
		{ "0::/user.slice/user-1000.slice/user@1000.service/init.scope"
		    "\n", "" },
		{ "0::/user.slice/user-1000.slice/session-3.scope\n", "" },
		{ "0::/system.slice/docker-" ID ".scope\n",
		    "docker stop 0123456789ab" },
		{ "4:memory:/docker/" ID "\n", "docker stop 0123456789ab" },
		{ OURS, "" },
		{ "0::/system.slice/cron.service\n", "" },
		{ "0::/system.slice/my-ollama-2.service\n",
		    "systemctl disable --now my-ollama-2" },
		{ "0::/\n", "" }, { "", "" },
	};
	char text[80];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		launcher_of_cgroup(rows[i].cgroup, OURS, "ollama", text,
		    sizeof text);
		cr_expect_str_eq(text, rows[i].advice, "%s: %s",
		    rows[i].cgroup, text);
	}
	launcher_of_cgroup("0::/docker/" ID, "0::/docker/" ID, "x", text,
	    sizeof text);
	cr_expect_str_eq(text, "", "our own container");
}

Test(health, a_path_names_what_stops_it)
{
	static const struct {
		const char *path;
		pid_t ppid;
		const char *advice;
	} rows[] = {
		{ "/Applications/Ollama.app/Contents/Resources/ollama", 77,
		    "quit Ollama.app, and take it out of the login items" },
		{ "/opt/homebrew/Cellar/ollama/0.14.2/bin/ollama", 1,
		    "brew services stop ollama" },
		{ "/opt/homebrew/opt/ollama/bin/ollama", 1,
		    "brew services stop ollama" },
		{ "/opt/homebrew/opt/ollama/bin/ollama", 77, "" },
		{ "/opt/homebrew/Cellar/python@3.12/bin/python3.12", 1,
		    "launchctl list | grep python3.12, then launchctl "
		    "bootout" },
		{ "/usr/local/bin/ollama", 1,
		    "launchctl list | grep ollama, then launchctl bootout" },
		{ "/usr/local/bin/ollama", 0, "" }, { "", 1, "" },
	};
	char text[120];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		launcher_of_path(rows[i].path, rows[i].ppid, text,
		    sizeof text);
		cr_expect_str_eq(text, rows[i].advice, "%s: %s",
		    rows[i].path, text);
	}
}

Test(plan, a_deep_probe_pins_no_model_that_would_go)
{
	const int64_t now = when_parse("2026-11-24T12:00:00Z");

	cr_expect(!plan_may_push(when_parse("2026-11-24T12:05:00Z"), now));
	cr_expect(!plan_may_push(0, now), "it does not tell");
	/* keep_alive = -1 */
	cr_expect(plan_may_push(when_parse("2318-03-06T11:00:00Z"), now));
	/* Its time is over, and it is there: a request hangs in it. */
	cr_expect(plan_may_push(when_parse("2026-11-24T13:59:00+02:00"), now));
	cr_expect(!plan_may_push(when_parse("2026-11-24T06:59:59.5-05:00"),
	    now), "it is about to go");
}

Test(works, who_shares_the_cpu_with_many_still_works)
{
	cr_expect(works_when(100, 1500, 1, 2));
	cr_expect(!works_when(20, 1500, 1, 2), "an idle loop");
	cr_expect(!works_when(0, 1500, 50, 2), "it hangs, whatever the load");
	cr_expect(works_when(20, 1500, 50, 2), "its share of two CPUs");
	cr_expect(!works_when(9, 1500, 500, 2), "less than a tick");
	cr_expect(!works_when(100, 0, 1, 2));
	cr_expect(works_when(100, 1500, 2, 8));
	cr_expect(!works_when(74, 1500, 8, 8));
}
