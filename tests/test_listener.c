/* SPDX-License-Identifier: ISC */
/* The listener's decisions: tokens, hosts, origins, rate, coalescing. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "feed.h"
#include "guard.h"
#include "history.h"
#include "latency.h"
#include "pace.h"
#include "tally.h"
#include "view.h"

#define ONE	"0123456789abcdef"
#define TWO	"fedcba9876543210"

static struct tokens
tokens(const char *text)
{
	char err[GUARD_ERR_LEN] = "";
	struct tokens t;

	cr_assert_eq(tokens_parse(&t, text, err), 0, "%s", err);
	return t;
}

Test(guard, a_file_holds_one_token_or_two)
{
	struct tokens t = tokens("# of November\n" ONE "\n");
	char err[GUARD_ERR_LEN];

	cr_expect_eq(t.n, 1);
	t = tokens(ONE "," TWO);
	cr_expect_eq(t.n, 2);
	cr_expect(tokens_hold(&t, TWO, 16));
	cr_expect_lt(tokens_parse(&t, ONE " " TWO " " ONE, err), 0);
	cr_expect_lt(tokens_parse(&t, "tooshort", err), 0);
	cr_expect(strstr(err, "16 to 128") != NULL);
	cr_expect_lt(tokens_parse(&t, ONE "/", err), 0);
	cr_expect_lt(tokens_parse(&t, " \n", err), 0);
}

Test(guard, a_token_matches_as_a_whole)
{
	struct tokens t = tokens(ONE);

	cr_expect(tokens_hold(&t, ONE, 16));
	cr_expect_not(tokens_hold(&t, ONE, 15));
	cr_expect_not(tokens_hold(&t, ONE "0", 17));
	cr_expect_not(tokens_hold(&t, "", 0));
	cr_expect_not(tokens_hold(&t, ONE ONE, 32));
	t.n = 0;
	cr_expect_not(tokens_hold(&t, "", 0));
}

Test(guard, a_token_is_found_in_three_places)
{
	static const struct {
		const char *authorization, *path;
		bool trusted;
		const char *route;
	} t[] = {
		{ "Bearer " ONE, "/recover", true, "/recover" },
		{ "bearer  " TWO, "/recover", true, "/recover" },
		{ "Bearer " ONE "x", "/recover", false, "/recover" },
		/* svtree:0123456789abcdef */
		{ "Basic c3Z0cmVlOjAxMjM0NTY3ODlhYmNkZWY=", "/recover", true,
		    "/recover" },
		/* 0123456789abcdef: and 0123456789abcdef */
		{ "Basic MDEyMzQ1Njc4OWFiY2RlZjo=", "/", true, "/" },
		{ "Basic MDEyMzQ1Njc4OWFiY2RlZg==", "/", true, "/" },
		{ "Basic c3Z0cmVlOnNlY3JldA==", "/recover", false,
		    "/recover" },
		{ "Basic !", "/recover", false, "/recover" },
		{ "", "/" ONE "/recover", true, "/recover" },
		{ "", "/hook/" TWO "/recover/", true, "/recover/" },
		{ "", "/recover/" ONE, true, "" },
		{ "", "/x/recover", false, "/x/recover" },
		{ "", "", false, "" },
	};
	struct tokens both = tokens(ONE "\n" TWO);
	const char *route;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		cr_expect_eq(guard_is_trusted(&both, t[i].authorization,
		    t[i].path, &route), t[i].trusted, "%s %s",
		    t[i].authorization, t[i].path);
		cr_expect_str_eq(route, t[i].route);
	}
}

Test(guard, only_our_own_names_are_taken_as_host)
{
	static const struct {
		const char *host;
		bool good;
	} t[] = {
		{ "127.0.0.1:9099", true }, { "localhost", true },
		{ "LocalHost:9099", true }, { "[::1]:9099", true },
		{ "host.docker.internal:9099", true },
		{ "172.17.0.1:9099", true }, { "[::1]", true },
		{ "evil.example", false }, { "localhost.evil.example", false },
		{ "localhost:", false }, { "localhost:80x", false },
		{ "[::1", false }, { "[::1]x", false }, { "", false },
		{ ":9099", false }, { "172.17.0.2", false },
	};
	struct hosts h;
	size_t i;

	hosts_init(&h);
	cr_assert_eq(hosts_add(&h, "172.17.0.1"), 0);
	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(guard_host(&h, t[i].host), t[i].good, "%s",
		    t[i].host);
}

Test(guard, our_own_page_is_told_from_foreign_ones)
{
	cr_expect_not(guard_is_browser("", ""));
	cr_expect(guard_is_browser("null", ""));
	cr_expect(guard_is_browser("", "cross-site"));
	cr_expect(guard_is_own_page("http://localhost:9099", "same-origin",
	    "localhost:9099"));
	cr_expect(guard_is_own_page("http://localhost:9099", "",
	    "localhost:9099"));
	cr_expect_not(guard_is_own_page("http://localhost:9099",
	    "cross-site", "localhost:9099"));
	cr_expect_not(guard_is_own_page("http://evil.example", "same-origin",
	    "localhost:9099"));
	cr_expect_not(guard_is_own_page("null", "", "localhost:9099"));
	cr_expect_not(guard_is_own_page("http://", "", ""));
}

Test(pace, a_bucket_empties_and_fills_again)
{
	struct bucket b = { .at_ms = 0 };
	int i, retry;

	for (i = 0; i < 10; i++)
		cr_expect(bucket_take(&b, 10, 2, 1000, &retry));
	cr_expect_not(bucket_take(&b, 10, 2, 1000, &retry));
	cr_expect_eq(retry, 1);
	cr_expect_not(bucket_take(&b, 10, 2, 1499, &retry));
	cr_expect(bucket_take(&b, 10, 2, 1500, &retry));
	cr_expect_not(bucket_take(&b, 10, 2, 1500, &retry));
	for (i = 0; i < 10; i++)
		cr_expect(bucket_take(&b, 10, 2, 1000000, &retry));
	cr_expect_not(bucket_take(&b, 10, 2, 1000000, &retry));
}

static enum pace_verdict
ask(struct pace *p, bool running, bool in_vain, const char *ill,
    int64_t now_ms)
{
	struct situation s = { running, in_vain, ill };
	enum pace_verdict v = pace_decide(p, &s, 10000, now_ms);

	if (v == PACE_START)
		pace_started(p, &s, now_ms);
	return v;
}

Test(pace, a_hundred_requests_are_one_recovery)
{
	static struct pace p;
	int64_t t = 50000;
	int i;

	cr_expect_eq(ask(&p, false, false, ",ollama,", t), PACE_START);
	for (i = 0; i < 50; i++)
		cr_expect_eq(ask(&p, true, false, ",ollama,", ++t),
		    PACE_JOIN);
	for (i = 0; i < 49; i++)
		cr_expect_eq(ask(&p, false, false, ",", ++t), PACE_COOLING);
	cr_expect_eq(ask(&p, false, false, ",", 60000), PACE_START);
}

Test(pace, a_new_fault_does_not_wait_for_the_cool_down)
{
	static struct pace p;

	cr_expect_eq(ask(&p, false, false, ",ollama,", 50000), PACE_START);
	cr_expect_eq(ask(&p, false, true, ",ollama,", 51000), PACE_COOLING);
	cr_expect_eq(ask(&p, false, true, ",mlx,ollama,", 52000),
	    PACE_START);
	cr_expect_eq(ask(&p, false, true, ",ollam,", 53000), PACE_START);
}

Test(pace, recoveries_in_vain_come_ever_more_rarely)
{
	static struct pace p;
	int64_t t = 1000, began = t, gap = 0, last = 0;
	int n = 0;

	for (; t < began + 3600000; t += 1000)
		if (ask(&p, false, t > began, ",mlx,", t) == PACE_START) {
			gap = t - last;
			last = t;
			n++;
		}
	cr_expect_eq(gap, PACE_GAP_MAX_MS);
	cr_expect_lt(n, 20, "%d recoveries in an hour", n);
	/* Once one has healed, the cool-down is what it was. */
	cr_expect_eq(ask(&p, false, false, ",", last + 10000), PACE_START);
	cr_expect_eq(ask(&p, false, false, ",", last + 20000), PACE_START);
}

Test(view, fitness_follows_want_state_and_health)
{
	static const struct {
		const char *want, *state, *health;
		enum fitness fitness;
		bool usable;
	} t[] = {
		{ "up", "UP", "ok", FIT_OK, true },
		{ "up", "UP", "unknown", FIT_OK, true },
		{ "up", "UP", "busy", FIT_BUSY, true },
		{ "up", "UP", "degraded", FIT_DEGRADED, true },
		{ "up", "UP", "failing", FIT_FAILING, false },
		{ "up", "WAITING", "unknown", FIT_STARTING, false },
		{ "up", "STARTING", "ok", FIT_STARTING, false },
		{ "up", "BACKOFF", "ok", FIT_DOWN, false },
		{ "up", "TRIPPED", "ok", FIT_DOWN, false },
		{ "up", "UNKNOWN", "ok", FIT_FAILING, false },
		{ "down", "DOWN", "ok", FIT_STOPPED, false },
	};
	struct seen sv = { .enabled = true };
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		(void)snprintf(sv.want, sizeof sv.want, "%s", t[i].want);
		(void)snprintf(sv.state, sizeof sv.state, "%s", t[i].state);
		(void)snprintf(sv.health, sizeof sv.health, "%s",
		    t[i].health);
		cr_expect_eq(view_fitness(&sv), t[i].fitness, "%s %s",
		    t[i].state, t[i].health);
		cr_expect_eq(view_is_usable(view_fitness(&sv)), t[i].usable);
	}
	sv.enabled = false;
	cr_expect_eq(view_fitness(&sv), FIT_STOPPED);
}

Test(view, what_a_probe_will_judge_is_no_use_before_it_has)
{
	struct seen sv = { .enabled = true, .probed = true, .want = "up",
	    .state = "UP", .health = "unknown" };

	cr_expect_eq(view_fitness(&sv), FIT_STARTING);
	cr_expect_eq(view_retry_s(&sv, 5000000), 2);
	(void)strlcpy(sv.health, "failing", sizeof sv.health);
	cr_expect_eq(view_retry_s(&sv, 5000000), 10);
	(void)strlcpy(sv.state, "TRIPPED", sizeof sv.state);
	sv.next_us = 305000000;
	cr_expect_eq(view_retry_s(&sv, 5000000), 300);
	(void)strlcpy(sv.want, "down", sizeof sv.want);
	cr_expect_eq(view_retry_s(&sv, 5000000), 0);
}

Test(feed, a_person_is_shown_what_went_wrong_or_was_asked_for)
{
	static const struct {
		const char *event, *state, *health, *reason;
		bool counts;
	} t[] = {
		{ "incident", "UP", "ok", "x", true },
		{ "verb", "UP", "ok", "stop", true },
		{ "reload", "", "", "done", true },
		{ "exit", "UP", "ok", "killed by SIGKILL", true },
		{ "exit", "UP", "ok", "exited with code 1", true },
		{ "exit", "UP", "ok", "exited with code 0", false },
		{ "exit", "STOPPING", "ok", "stopped on request", false },
		{ "state", "TRIPPED", "ok", "too many failures", true },
		{ "state", "BACKOFF", "ok", "", true },
		{ "state", "UP", "ok", "", false },
		{ "health", "UP", "failing", "no answer", true },
		{ "health", "UP", "ok", "", false },
		{ "text", "UP", "ok", "loading", false },
		{ "waits", "WAITING", "ok", "waits for a", false },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(incident_counts(t[i].event, t[i].state,
		    t[i].health, t[i].reason), t[i].counts, "%s %s %s %s",
		    t[i].event, t[i].state, t[i].health, t[i].reason);
}

static void
hear(const char *event, const char *state, const char *want,
    const char *health, const char *reason, int64_t at_us)
{
	struct tally_event e = { "a", event, state, want, health, reason,
	    at_us };

	tally_add(&e);
}

static uint64_t
repairs(void)
{
	struct tally t = tally_of("a");
	uint64_t n = 0;
	int i;

	for (i = 0; i <= TALLY_BOUNDS; i++)
		n += t.repair[i];
	return n;
}

Test(tally, a_repair_is_counted_by_how_long_it_took)
{
	static const struct {
		int64_t	 us;
		int	 place;
	} want[] = { { 0, 0 }, { 50000, 0 }, { 50001, 1 }, { 1000000, 3 },
	    { 59000000, 6 }, { 1800000000, 8 }, { 1800000001, 9 },
	    { -5, 0 } /* the clock was set */ };
	size_t i;

	for (i = 0; i < nitems(want); i++) {
		tally_reset();
		hear("exit", "UP", "up", "ok", "killed by SIGKILL", 10);
		hear("state", "UP", "up", "ok", "", 10 + want[i].us);
		cr_expect_eq(tally_of("a").repair[want[i].place], 1, "%d",
		    (int)i);
		cr_expect_eq(repairs(), 1);
	}
}

Test(tally, a_repair_lasts_from_the_end_to_the_next_start)
{
	struct tally t;

	tally_reset();
	hear("exit", "UP", "up", "ok", "killed by SIGKILL", 1000000);
	hear("state", "BACKOFF", "up", "ok", "killed by SIGKILL", 1000100);
	hear("state", "STARTING", "up", "unknown", "", 2000000);
	hear("exit", "STARTING", "up", "unknown", "exited with code 1",
	    2100000);
	hear("state", "UP", "up", "unknown", "", 3500000);
	t = tally_of("a");
	cr_expect_eq(t.signals, 1);
	cr_expect_eq(t.exits, 1);
	cr_expect_eq(repairs(), 1);
	cr_expect_eq(t.repair_us, 2500000);
}

Test(tally, a_fault_of_health_ends_with_health)
{
	struct tally t;

	tally_reset();
	hear("health", "UP", "up", "failing", "no answer", 1000000);
	hear("exit", "STOPPING", "up", "failing", "no answer", 1500000);
	hear("state", "UP", "up", "unknown", "", 2000000);
	cr_expect_eq(repairs(), 0);
	hear("health", "UP", "up", "ok", "", 4000000);
	t = tally_of("a");
	cr_expect_eq(t.sick, 1);
	cr_expect_eq(t.exits + t.signals, 0);
	cr_expect_eq(repairs(), 1);
	cr_expect_eq(t.repair_us, 3000000);
}

Test(tally, a_start_is_counted_by_what_ended_the_run_before)
{
	static const struct {
		const char *first, *end, *state, *want, *why;
		enum tally_reason reason;	/* TALLY_REASONS: none */
	} c[] = {
		{ "text", "exit", "UP", "up", "exited with code 1",
		    REASON_EXIT },
		{ "text", "exit", "UP", "up", "killed by SIGKILL",
		    REASON_SIGNAL },
		{ "oom", "exit", "UP", "up", "killed by SIGKILL", REASON_OOM },
		{ "text", "exit", "STOPPING", "up", "restarted on request",
		    REASON_ASKED },
		{ "health", "exit", "STOPPING", "up", "hung", REASON_HEALTH },
		{ "text", "exit", "STOPPING", "down", "stopped on request",
		    TALLY_REASONS },
		{ "text", "text", "UP", "up", "", TALLY_REASONS },
	};
	struct tally is;
	size_t i;
	int k;

	for (i = 0; i < nitems(c); i++) {
		tally_reset();
		hear("state", "STARTING", "up", "unknown", "", 1);
		hear(c[i].first, "UP", "up", strcmp(c[i].first, "health") ==
		    0 ? "failing" : "ok", "", 2);
		hear(c[i].end, c[i].state, c[i].want, "ok", c[i].why, 3);
		hear("state", "STARTING", "up", "unknown", "", 4);
		hear("state", "UP", "up", "ok", "", 5);
		is = tally_of("a");
		for (k = 0; k < TALLY_REASONS; k++)
			cr_expect_eq(is.restarts[k], k == (int)c[i].reason,
			    "%s: %s", c[i].why,
			    tally_reason_name((enum tally_reason)k));
	}
	tally_reset();		/* what killed it is told after its end */
	hear("exit", "UP", "up", "ok", "exited with code 137", 1);
	hear("oom", "BACKOFF", "up", "ok", "at its limit", 2);
	hear("state", "STARTING", "up", "unknown", "", 3);
	is = tally_of("a");
	cr_expect_eq(is.restarts[REASON_OOM], 1);
	cr_expect_eq(is.restarts[REASON_EXIT], 0);
}

Test(tally, what_a_person_ordered_is_no_fault)
{
	tally_reset();
	hear("exit", "STOPPING", "down", "ok", "stopped on request", 1);
	hear("exit", "UP", "up", "ok", "exited with code 0", 2);
	cr_expect_eq(tally_of("a").exits, 0);
	hear("exit", "UP", "up", "ok", "exited with code 1", 3);
	hear("verb", "BACKOFF", "down", "ok", "stop", 4);
	hear("state", "UP", "up", "ok", "", 5);
	cr_expect_eq(repairs(), 0);
	hear("incident", "UP", "up", "ok", "odd", 6);
	hear("oom", "UP", "up", "ok", "killed for memory", 7);
	cr_expect_eq(tally_of("a").incidents, 1);
	cr_expect_eq(tally_of("a").ooms, 1);
	cr_expect_eq(tally_of("nobody").incidents, 0);
}

#define SLOT	(HISTORY_SLOT_S * INT64_C(1000000))
#define DAY0	(20000 * INT64_C(86400) * 1000000)

static char *
history(int64_t now_us)
{
	static char text[4096];
	struct buf b;

	buf_init(&b, text, sizeof text);
	history_put(&b, now_us);
	return buf_cstr(&b);
}

Test(history, a_day_is_shown_by_quarters_of_an_hour)
{
	char *text;

	history_reset();
	history_add("a", WAS_WELL, DAY0);
	history_add("a", WAS_ILL, DAY0 + 2 * SLOT + SLOT / 4);
	history_add("a", WAS_WELL, DAY0 + 2 * SLOT + SLOT / 2);
	history_add("a", WAS_ILL, DAY0 + 3 * SLOT);
	history_add("a", WAS_STOPPED, DAY0 + 4 * SLOT);
	text = history(DAY0 + 5 * SLOT);
	cr_expect(strstr(text, "--wwpis-\"") != NULL ||
	    strstr(text, "-wwpis-\"") != NULL, "%s", text);
	/* Well 2.75 + 0.25 ill of the wanted 4 slots, and one all ill. */
	cr_expect(strstr(text, "\"ratio\":0.68750") != NULL, "%s", text);
}

Test(history, what_is_older_than_a_day_is_forgotten)
{
	char *text;

	history_reset();
	history_add("a", WAS_ILL, DAY0);
	history_add("a", WAS_WELL, DAY0 + SLOT);
	text = history(DAY0 + 50 * SLOT);
	cr_expect(strstr(text, "-iw") != NULL, "%s", text);
	text = history(DAY0 + 97 * SLOT + SLOT / 2);
	cr_expect(strchr(strstr(text, "slots\":\""), 'i') == NULL ||
	    strstr(text, "\"ratio\":1.00000") != NULL, "%s", text);
	text = history(DAY0 + 1000 * SLOT);
	cr_expect(strstr(text, "\"ratio\":1.00000") != NULL, "%s", text);
	cr_expect(strstr(text, "www") != NULL, "%s", text);
}

Test(history, a_status_tells_of_what_no_event_told)
{
	history_reset();
	history_know("a", WAS_WELL, DAY0, DAY0 + 3 * SLOT);
	cr_expect(strstr(history(DAY0 + 3 * SLOT), "-www") != NULL);
	history_know("a", WAS_ILL, DAY0, DAY0 + 4 * SLOT);
	cr_expect(strstr(history(DAY0 + 5 * SLOT - 1), "-wwwwi\"") != NULL);
	cr_expect_eq(history_judge("UP", "up", "failing"), WAS_ILL);
	cr_expect_eq(history_judge("UP", "up", "busy"), WAS_WELL);
	cr_expect_eq(history_judge("WAITING", "up", "ok"), WAS_ILL);
	cr_expect_eq(history_judge("DOWN", "down", "ok"), WAS_STOPPED);
}

Test(latency, answers_fall_into_the_bucket_that_holds_them)
{
	static struct latency l;
	const struct latency_count *c = &l.count[LATENCY_READY];

	latency_add(&l, LATENCY_READY, 0, true);
	latency_add(&l, LATENCY_READY, 5, true);
	latency_add(&l, LATENCY_READY, 6, true);
	latency_add(&l, LATENCY_READY, 30001, true);
	latency_add(&l, LATENCY_READY, 3000, false);
	cr_expect_eq(c->bucket[0], 2);
	cr_expect_eq(c->bucket[1], 1);
	cr_expect_eq(c->bucket[LATENCY_BOUNDS], 1);
	cr_expect_eq(c->sum_ms, 30012);
	cr_expect_eq(c->failed, 1);
	cr_expect_eq(latency_answered(c), 4);
	cr_expect_null(latency_slot_of(&l, 1));	/* counts are no day */
}

Test(latency, a_day_is_kept_by_quarters_of_an_hour)
{
	static struct latency l;
	const struct latency_slot *s;
	int64_t first = 1000;

	latency_add_day(&l, 10, true, first * LATENCY_SLOT_S);
	latency_add_day(&l, 30, true, first * LATENCY_SLOT_S + 899);
	latency_add_day(&l, 3000, false,
	    (first + 1) * LATENCY_SLOT_S);
	s = latency_slot_of(&l, first);
	cr_assert_not_null(s);
	cr_expect_eq(s->n, 2);
	cr_expect_eq(s->sum_ms, 40);
	cr_expect_eq(s->max_ms, 30);
	s = latency_slot_of(&l, first + 1);
	cr_assert_not_null(s);
	cr_expect_eq(s->n, 0);
	cr_expect_eq(s->failed, 1);
	cr_expect_not(l.last_ok);
	cr_expect_null(latency_slot_of(&l, first + 2));
	/* A day later the ring is there again: the old one is gone. */
	latency_add_day(&l, 1, true,
	    (first + LATENCY_SLOTS) * LATENCY_SLOT_S);
	cr_expect_null(latency_slot_of(&l, first));
	cr_expect_eq(latency_slot_of(&l, first + LATENCY_SLOTS)->n, 1);
}
