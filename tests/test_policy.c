/* SPDX-License-Identifier: ISC */
/* The restart policy, without a clock. */
#include <criterion/criterion.h>

#include "buf.h"
#include "policy.h"

static struct conf_service
a_daemon(void)
{
	return (struct conf_service){ .type = TYPE_DAEMON,
	    .restart = RESTART_ALWAYS, .restart_delay_ms = 1000,
	    .restart_max_ms = 8000, .restart_limit = 5,
	    .restart_window_ms = 60000 };
}

static struct record
a_crash(void)
{
	return (struct record){ .want = WANT_UP, .exit_kind = EXIT_CODE,
	    .exit_value = 1 };
}

Test(policy, what_is_unwanted_stays_down)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.want = WANT_DOWN;
	r.again = 1;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_REST);
	cr_expect_eq(r.restarts, 0);
	cr_expect_eq(r.again, 0);
}

Test(policy, an_ordered_restart_is_at_once_and_not_counted)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.clean = 1;
	r.again = 1;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
	cr_expect_eq(r.restarts, 0);
	cr_expect_eq(r.streak, 0);
}

Test(policy, first_at_once_then_doubling_to_the_cap)
{
	static const int64_t delays[] = { 1000, 2000, 4000, 8000, 8000 };
	struct conf_service c = a_daemon();
	struct record r = a_crash();
	struct verdict v;
	size_t i;

	c.restart_limit = 0;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
	for (i = 0; i < nitems(delays); i++) {
		v = policy_decide(&c, &r, 1000, 0);
		cr_expect_eq(v.event, EV_DELAY);
		cr_expect_eq(v.delay_ms, delays[i], "%zu: %d", i,
		    (int)v.delay_ms);
	}
	cr_expect_eq(r.restarts, 6);
}

Test(policy, jitter_adds_at_most_a_tenth)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();
	struct verdict v;
	uint32_t dice;

	for (dice = 0; dice < 5000; dice += 7) {
		r.streak = 1;
		r.window_count = 0;
		v = policy_decide(&c, &r, 1000, dice);
		cr_assert(v.delay_ms >= 1000 && v.delay_ms <= 1100);
	}
}

Test(policy, a_healthy_run_earns_an_immediate_restart)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.streak = 4;
	r.ready_ms = 1000;
	cr_expect_eq(policy_decide(&c, &r, 1000 + POLICY_HEALTHY_MS, 0).event,
	    EV_AGAIN);
	cr_expect_eq(r.streak, 5, "one healthy run does not forget all");
	r.ready_ms = 1000;
	(void)policy_decide(&c, &r, 1000 + 10 * POLICY_DECAY_MS, 0);
	cr_expect_eq(r.streak, 1, "a long one does");
}

Test(policy, too_many_in_the_window_trip_with_growing_pauses)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();
	struct verdict v = { EV_AGAIN, 0, "" };
	int i;

	for (i = 0; i < 6; i++)
		v = policy_decide(&c, &r, 1000 + i, 0);
	cr_expect_eq(v.event, EV_TRIP);
	cr_expect_eq(v.delay_ms, 5 * 60000);
	v = policy_decide(&c, &r, 400000, 0);
	cr_expect_eq(v.event, EV_TRIP, "tried again and failed again");
	cr_expect_eq(v.delay_ms, 15 * 60000);
	v = policy_decide(&c, &r, 2000000, 0);
	cr_expect_eq(v.delay_ms, 60 * 60000);
	v = policy_decide(&c, &r, 9000000, 0);
	cr_expect_eq(v.delay_ms, 60 * 60000);
	policy_reset(&r);
	cr_expect_eq(policy_decide(&c, &r, 9000001, 0).event, EV_AGAIN);
}

Test(policy, slow_failures_do_not_trip)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();
	int i;

	for (i = 1; i < 50; i++)
		cr_expect_neq(policy_decide(&c, &r, i * 20000, 0).event,
		    EV_TRIP);
}

Test(policy, permanent_codes_hold_at_once)
{
	static char *codes[] = { (char *)"100", (char *)"111", NULL };
	struct conf_service c = a_daemon();
	struct record r = a_crash();
	struct verdict v;

	c.no_restart = (struct conf_list){ codes, 2 };
	r.exit_value = 100;
	v = policy_decide(&c, &r, 1000, 0);
	cr_expect_eq(v.event, EV_TRIP);
	cr_expect_eq(v.delay_ms, -1);
	r = a_crash();
	r.hold = 1;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_TRIP);
	r = a_crash();
	r.exit_kind = EXIT_SIGNAL;
	r.exit_value = 100;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
}

static const struct {
	enum conf_type type;
	enum conf_restart restart;
	uint8_t	 want, clean;
	enum event event;
	uint8_t	 want_after;
} ends[] = {
	{ TYPE_DAEMON, RESTART_ALWAYS, WANT_UP, 1, EV_AGAIN, WANT_UP },
	{ TYPE_DAEMON, RESTART_ON_FAILURE, WANT_UP, 1, EV_REST, WANT_DOWN },
	{ TYPE_DAEMON, RESTART_ON_FAILURE, WANT_UP, 0, EV_AGAIN, WANT_UP },
	{ TYPE_DAEMON, RESTART_NEVER, WANT_UP, 0, EV_TRIP, WANT_UP },
	{ TYPE_DAEMON, RESTART_NEVER, WANT_UP, 1, EV_REST, WANT_DOWN },
	{ TYPE_DAEMON, RESTART_ALWAYS, WANT_ONCE, 0, EV_REST, WANT_DOWN },
	{ TYPE_ONESHOT, RESTART_NEVER, WANT_ONCE, 0, EV_REST, WANT_DOWN },
	{ TYPE_ONESHOT, RESTART_ON_FAILURE, WANT_ONCE, 0, EV_AGAIN,
	    WANT_ONCE },
	{ TYPE_ONESHOT, RESTART_ALWAYS, WANT_ONCE, 1, EV_REST, WANT_DOWN },
};

Test(policy, how_a_run_ended_and_what_was_asked_decide)
{
	size_t i;

	for (i = 0; i < nitems(ends); i++) {
		struct conf_service c = a_daemon();
		struct record r = a_crash();

		c.type = ends[i].type;
		c.restart = ends[i].restart;
		r.want = ends[i].want;
		r.clean = ends[i].clean;
		if (r.clean)
			r.exit_value = 0;
		cr_expect_eq(policy_decide(&c, &r, 1000, 0).event,
		    ends[i].event, "row %zu", i);
		cr_expect_eq(r.want, ends[i].want_after, "row %zu", i);
	}
}

/* A timer of 10 s with up to 2 s of jitter; all times in ms. */
static const struct {
	const char *what;
	int64_t	 due, now;
	uint32_t dice;
	bool	 run;
	int64_t	 next;
} timers[] = {
	{ "the first time is a period away", 0, 5000, 0, false, 15000 },
	{ "jitter is added", 0, 5000, 500000, false, 16000 },
	{ "jitter has an end", 0, 5000, 999999, false, 17000 },
	{ "not yet due", 20000, 15000, 7, false, 20000 },
	{ "due", 20000, 20000, 0, true, 30000 },
	{ "late", 20000, 21000, 0, true, 31000 },
	{ "many were missed: one run", 20000, 3620000, 0, true, 3630000 },
	{ "the period has become shorter", 90000, 5000, 0, false, 15000 },
	{ "at the end of the jitter", 17000, 5000, 0, false, 17000 },
	{ "stopped by a person", TIMER_HELD, 90000, 0, false, TIMER_HELD },
};

Test(policy, a_timer_runs_once_for_all_that_it_missed)
{
	struct conf_service c = { .every_ms = 10000, .every_jitter_ms = 2000 };
	struct timer_verdict v;
	size_t i;

	for (i = 0; i < nitems(timers); i++) {
		v = policy_timer(&c, timers[i].due, timers[i].now,
		    timers[i].dice);
		cr_expect_eq(v.run, timers[i].run, "%s", timers[i].what);
		cr_expect_eq(v.due_ms, timers[i].next, "%s: %lld",
		    timers[i].what, (long long)v.due_ms);
	}
}

Test(policy, success_is_zero_and_what_the_definition_adds)
{
	char *codes[] = { (char *)"3", (char *)"143", NULL };
	struct conf_service c = { .success = { codes, 2 } };
	struct record r = { .exit_kind = EXIT_CODE };

	cr_expect(policy_is_success(&c, &r));
	r.exit_value = 143;
	cr_expect(policy_is_success(&c, &r));
	r.exit_value = 1;
	cr_expect_not(policy_is_success(&c, &r));
	r.exit_value = 3;
	r.exit_kind = EXIT_SIGNAL;
	cr_expect_not(policy_is_success(&c, &r));
}

Test(policy, a_failure_is_what_nobody_asked_for)
{
	struct record r = a_crash();

	cr_expect(policy_is_failure(&r));
	r.again = AGAIN_ASKED;
	cr_expect_not(policy_is_failure(&r));
	r.again = AGAIN_COUNTED;
	r.clean = 1;
	cr_expect(policy_is_failure(&r));
	r.again = AGAIN_NO;
	cr_expect_not(policy_is_failure(&r));
	r.clean = 0;
	r.want = WANT_DOWN;
	cr_expect_not(policy_is_failure(&r));
}

Test(policy, the_sooner_of_two_deadlines_and_none_is_never)
{
	static const struct {
		int64_t a, b, sooner;
	} pairs[] = {
		{ -1, -1, -1 }, { -1, 5, 5 }, { 5, -1, 5 }, { 5, 7, 5 },
		{ 7, 5, 5 }, { 0, 7, 0 },
	};
	size_t i;

	for (i = 0; i < nitems(pairs); i++)
		cr_expect_eq(policy_sooner(pairs[i].a, pairs[i].b),
		    pairs[i].sooner, "%zu", i);
}

Test(policy, counters_stop_at_their_ends)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	c.restart_limit = 0;
	r.window_ms = 1;
	r.window_count = r.streak = UINT16_MAX;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_DELAY);
	cr_expect_eq(r.window_count, UINT16_MAX);
	cr_expect_eq(r.streak, UINT16_MAX);
	r.trips = UINT16_MAX;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_TRIP);
	cr_expect_eq(r.trips, UINT16_MAX);
}

Test(policy, a_delay_over_the_cap_is_the_cap)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	c.restart_max_ms = 300;
	r.streak = 1;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).delay_ms, 300);
	c.restart_delay_ms = 200;	/* doubles past it */
	r.streak = 2;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).delay_ms, 300);
}

Test(policy, once_tried_with_success_it_may_fail_again)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.trips = 1;
	r.streak = 0;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
	cr_expect_eq(r.trips, 1);
}

Test(policy, what_a_program_restarts_is_counted)
{
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.clean = 1;
	r.again = AGAIN_COUNTED;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
	cr_expect_eq(r.restarts, 1);
}

Test(policy, once_ends_whatever_it_is_and_a_permanent_code_ends_a_oneshot)
{
	static char word[] = "7";
	static char *words[] = { word };
	struct conf_service c = a_daemon();
	struct record r = a_crash();

	r.want = WANT_ONCE;	/* of a daemon: no second try */
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_REST);
	cr_expect_eq(r.want, WANT_DOWN);
	c.type = TYPE_ONESHOT;
	c.no_restart.v = words;
	c.no_restart.n = 1;
	r = a_crash();
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
	r = a_crash();
	r.exit_value = 7;
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_REST);
	c.type = TYPE_DAEMON;
	r = a_crash();
	cr_expect_eq(policy_decide(&c, &r, 1000, 0).event, EV_AGAIN);
}
