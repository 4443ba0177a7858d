/* SPDX-License-Identifier: ISC */
/*
 * Outages from events: what counts as one, when it begins and ends, what a
 * person's wish, another supervisor and late evidence do to it.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "svctl_outage.h"

#define START	INT64_C(1795521600000000)	/* 2026-11-24T12:00:00Z */
#define MS	INT64_C(1000)

struct step {
	int	 ms;		/* since START */
	const char *event, *state, *want, *health, *reason;
};

static int64_t seq;

static void
put(struct outages *o, const char *service, const struct step *s)
{
	struct event e = { .seq = ++seq };

	(void)snprintf(e.at, sizeof e.at, "2026-11-24T12:%02d:%02d.%03dZ",
	    s->ms / 60000, s->ms / 1000 % 60, s->ms % 1000);
	(void)strlcpy(e.event, s->event, sizeof e.event);
	(void)strlcpy(e.service, service, sizeof e.service);
	(void)strlcpy(e.state, s->state, sizeof e.state);
	(void)strlcpy(e.want, s->want, sizeof e.want);
	(void)strlcpy(e.health, s->health, sizeof e.health);
	(void)strlcpy(e.reason, s->reason, sizeof e.reason);
	cr_assert_eq(outages_take(o, &e), 0);
}

static void
put_all(struct outages *o, const struct step *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		put(o, "a", &s[i]);
}

static void
expect(const struct outages *o, int i, int from_ms, int to_ms,
    enum outage_end end, const char *reason)
{
	cr_assert_lt(i, o->n);
	cr_assert_eq((o->outage[i].from_us - START) / MS, from_ms);
	cr_assert_eq(o->outage[i].to_us == 0 ? -1 :
	    (o->outage[i].to_us - START) / MS, to_ms);
	cr_assert_eq(o->outage[i].end, end);
	cr_assert_str_eq(o->outage[i].reason, reason);
}

static const struct step crash[] = {
	{ 0, "state", "STARTING", "up", "unknown", "" },
	{ 10, "state", "UP", "up", "unknown", "" },
	{ 1000, "exit", "UP", "up", "unknown", "killed by SIGKILL" },
	{ 1001, "state", "FINISHING", "up", "unknown", "killed by SIGKILL" },
	{ 1002, "state", "STARTING", "up", "unknown", "" },
	{ 1250, "state", "UP", "up", "unknown", "" },
};

Test(outage, a_crash_lasts_from_the_exit_to_up)
{
	struct outages o = { .since_us = 0 };
	struct outage_service *s;

	put_all(&o, crash, nitems(crash));
	outages_end(&o, START + 10010 * MS);
	cr_assert_eq(o.n, 1);
	expect(&o, 0, 1000, 1250, END_BACK, "killed by SIGKILL");
	s = outages_find(&o, "a");
	cr_assert_eq(s->n, 1);
	cr_assert_eq(s->repair_us, 250 * MS);
	cr_assert_eq(s->longest_us, 250 * MS);
	/* Wanted for 10.01 s; up but for 10 ms of start and 249 of crash. */
	cr_assert_eq(s->wanted_us, 10010 * MS);
	cr_assert_eq(s->good_us, (10010 - 10 - 249) * MS);
	cr_assert_eq(outages_available(s), 97412);
	outages_free(&o);
}

Test(outage, what_dies_again_at_once_was_not_repaired)
{
	static const struct step again[] = {
		{ 5000, "exit", "UP", "up", "unknown", "killed by SIGKILL" },
		{ 5001, "state", "FINISHING", "up", "unknown", "" },
		{ 5002, "state", "STARTING", "up", "unknown", "" },
		{ 5250, "state", "UP", "up", "unknown", "" },
	};
	static const struct step later[] = {
		{ 30000, "exit", "UP", "up", "unknown", "killed by SIGKILL" },
		{ 30001, "state", "FINISHING", "up", "unknown", "" },
		{ 30250, "state", "UP", "up", "unknown", "" },
	};
	struct outages o = { .since_us = 0 };

	put_all(&o, crash, nitems(crash));
	put_all(&o, again, nitems(again));
	cr_assert_eq(o.n, 1);
	expect(&o, 0, 1000, 5250, END_BACK, "killed by SIGKILL");
	cr_assert_eq(o.outage[0].times, 2);
	put_all(&o, later, nitems(later));
	cr_assert_eq(o.n, 2);
	outages_free(&o);
}

Test(outage, what_a_person_asks_for_is_none)
{
	static const struct step steps[] = {
		{ 0, "state", "UP", "up", "ok", "" },
		{ 100, "verb", "UP", "up", "ok", "restart" },
		{ 101, "state", "STOPPING", "up", "ok", "on request" },
		{ 102, "exit", "STOPPING", "up", "ok", "on request" },
		{ 103, "state", "FINISHING", "up", "ok", "on request" },
		{ 104, "state", "STARTING", "up", "unknown", "" },
		{ 200, "state", "UP", "up", "unknown", "" },
		{ 300, "verb", "UP", "up", "unknown", "stop" },
		{ 301, "state", "STOPPING", "down", "unknown", "" },
		{ 302, "state", "DOWN", "down", "unknown", "" },
		{ 400, "verb", "DOWN", "down", "unknown", "start" },
		{ 401, "state", "STARTING", "up", "unknown", "" },
		{ 402, "state", "UP", "up", "unknown", "" },
	};
	struct outages o = { .since_us = 0 };

	put_all(&o, steps, nitems(steps));
	outages_end(&o, START + 1000 * MS);
	cr_assert_eq(o.n, 0);
	/* Time that nobody wanted it does not count against it. */
	cr_assert_eq(outages_find(&o, "a")->wanted_us, (1000 - 100) * MS);
	outages_free(&o);
}

Test(outage, a_failing_probe_is_one_until_it_is_well)
{
	static const struct step steps[] = {
		{ 0, "state", "UP", "up", "ok", "" },
		{ 100, "health", "UP", "up", "failing", "no answer in 3 s" },
		{ 200, "verb", "UP", "up", "failing", "restart" },
		{ 201, "state", "STOPPING", "up", "failing", "wedged" },
		{ 300, "state", "STARTING", "up", "unknown", "" },
		{ 310, "state", "UP", "up", "unknown", "" },
		{ 400, "health", "UP", "up", "busy", "503" },
	};
	struct outages o = { .since_us = 0 };

	put_all(&o, steps, nitems(steps));
	cr_assert_eq(o.n, 1);
	expect(&o, 0, 100, 310, END_BACK, "no answer in 3 s");
	outages_free(&o);
}

Test(outage, a_start_that_fails_is_one_and_a_stop_ends_it)
{
	static const struct step steps[] = {
		{ 0, "verb", "DOWN", "down", "unknown", "start" },
		{ 1, "state", "STARTING", "up", "unknown", "" },
		{ 5, "exit", "STARTING", "up", "unknown", "code 3" },
		{ 6, "state", "FINISHING", "up", "unknown", "code 3" },
		{ 7, "state", "BACKOFF", "up", "unknown", "code 3" },
		{ 500, "state", "STARTING", "up", "unknown", "" },
		{ 505, "exit", "STARTING", "up", "unknown", "code 3" },
		{ 506, "state", "TRIPPED", "up", "unknown", "too many" },
		{ 900, "verb", "TRIPPED", "up", "unknown", "stop" },
		{ 901, "state", "DOWN", "down", "unknown", "" },
	};
	struct outages o = { .since_us = 0 };

	put_all(&o, steps, nitems(steps));
	outages_end(&o, START + 1000 * MS);
	cr_assert_eq(o.n, 1);
	expect(&o, 0, 7, 901, END_STOPPED, "code 3");
	cr_assert_eq(outages_find(&o, "a")->back, 0);
	cr_assert_eq(outages_available(outages_find(&o, "a")), 0);
	outages_free(&o);
}

Test(outage, a_oneshot_fails_in_a_moment)
{
	static const struct step steps[] = {
		{ 0, "state", "UP", "once", "unknown", "" },
		{ 5, "exit", "UP", "once", "unknown", "exited with code 0" },
		{ 6, "state", "DOWN", "down", "unknown", "" },
		{ 10, "state", "UP", "once", "unknown", "" },
		{ 15, "exit", "UP", "once", "unknown", "exited with code 7" },
		{ 16, "state", "DOWN", "down", "unknown", "" },
	};
	struct outages o = { .since_us = 0 };

	put_all(&o, steps, nitems(steps));
	cr_assert_eq(o.n, 1);
	expect(&o, 0, 15, 15, END_FAILED, "exited with code 7");
	cr_assert_eq(outages_available(outages_find(&o, "a")), -1);
	outages_free(&o);
}

Test(outage, late_evidence_joins_the_outage_it_is_about)
{
	static const struct step late = { 3000, "oom", "UP", "up", "unknown",
	    "out of memory" };
	static const struct step alone = { 50000, "incident", "UP", "up",
	    "unknown", "memory is short" };
	struct outages o = { .since_us = 0 };

	put_all(&o, crash, nitems(crash));
	put(&o, "a", &late);
	put(&o, "a", &late);	/* told twice, noted once */
	put(&o, "a", &alone);
	cr_assert_eq(o.n, 2);
	expect(&o, 0, 1000, 1250, END_BACK,
	    "out of memory; killed by SIGKILL");
	expect(&o, 1, 50000, 50000, END_NOTED, "memory is short");
	outages_free(&o);
}

Test(outage, the_time_without_a_supervisor_counts_only_when_adopted)
{
	static const struct step up = { 0, "state", "UP", "up", "ok", "" };
	static const struct step adopted = { 60000, "adopted", "UP", "up",
	    "ok", "" };
	static const struct step anew = { 120000, "state", "STARTING", "up",
	    "unknown", "" };
	struct outages o = { .since_us = 0 };

	seq = 100;
	put(&o, "a", &up);
	seq = 0;		/* another supervisor */
	put(&o, "a", &adopted);
	cr_assert_eq(outages_find(&o, "a")->good_us, 60000 * MS);
	seq = 0;		/* after a reboot */
	put(&o, "a", &anew);
	outages_end(&o, START + 121000 * MS);
	cr_assert_eq(outages_find(&o, "a")->good_us, 60000 * MS);
	cr_assert_eq(outages_find(&o, "a")->wanted_us, 61000 * MS);
	outages_free(&o);
}

Test(outage, since_cuts_figures_and_list)
{
	struct outages o = { .since_us = START + 2000 * MS };

	put_all(&o, crash, nitems(crash));
	outages_end(&o, START + 3000 * MS);
	cr_assert_eq(o.n, 1);
	cr_assert_eq(outages_find(&o, "a")->n, 0);
	cr_assert_eq(outages_available(outages_find(&o, "a")), 100000);
	outages_free(&o);
}

Test(outage, one_that_goes_on_is_open)
{
	struct outages o = { .since_us = 0 };

	put_all(&o, crash, 4);
	outages_end(&o, START + 5000 * MS);
	expect(&o, 0, 1000, -1, END_OPEN, "killed by SIGKILL");
	outages_free(&o);
}
