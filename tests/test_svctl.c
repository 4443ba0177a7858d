/* SPDX-License-Identifier: ISC */
/*
 * What svctl decides without asking anybody: times, words that are meant,
 * whether a verb has had its effect, what holds a service up.
 */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "svctl.h"

#define NOON	INT64_C(1795521600000000)	/* 2026-11-24T12:00:00Z */

static void
in_utc(void)
{
	(void)setenv("TZ", "UTC", 1);
	tzset();
}

Test(svctl_time, reads_rfc3339)
{
	static const struct {
		const char *text;
		int64_t	 us;
	} rows[] = {
		{ "2026-11-24T12:00:00Z", NOON },
		{ "2026-11-24T12:00:00.250Z", NOON + 250000 },
		{ "2026-11-24T12:00:00.000001Z", NOON + 1 },
		{ "2026-11-24 12:00:00Z", NOON },
		{ "2026-11-24T12:00:00", -1 }, { "2026-11-24", -1 },
		{ "", -1 }, { "soon", -1 },
	};
	size_t i;

	for (i = 0; i < nitems(rows); i++)
		cr_assert_eq(ctl_time_us(rows[i].text), rows[i].us, "%s",
		    rows[i].text);
}

Test(svctl_time, since_takes_what_people_write, .init = in_utc)
{
	static const struct {
		const char *text;
		int64_t	 back_s;	/* -1: refused */
	} rows[] = {
		{ "10m", 600 }, { "1h30m", 5400 }, { "45", 45 },
		{ "11:30", 1800 }, { "12:30", 23 * 3600 + 1800 },
		{ "today", 12 * 3600 }, { "yesterday", 36 * 3600 },
		{ "2026-11-24", 12 * 3600 }, { "2026-11-23 12:00", 86400 },
		{ "2026-11-24 11:59:30", 30 },
		{ "2026-11-24T11:00:00Z", 3600 },
		{ "soon", -1 }, { "", -1 }, { "25:00", -1 }, { "12:61", -1 },
		{ "2026-13-01", -1 }, { "2026-11-24 12", -1 },
		{ "2026-11-24x", -1 }, { "-5m", -1 },
	};
	int64_t us;
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		int rc = ctl_since(rows[i].text, NOON, &us);

		cr_assert_eq(rc, rows[i].back_s < 0 ? -1 : 0, "%s",
		    rows[i].text);
		if (rc == 0)
			cr_assert_eq(NOON - us, rows[i].back_s * 1000000,
			    "%s: %lld", rows[i].text, (long long)(NOON - us));
	}
}

Test(svctl_time, durations_are_short)
{
	static const struct {
		int64_t	 ms;
		const char *text;
	} rows[] = {
		{ 0, "0.0 s" }, { -5, "0.0 s" }, { 1234, "1.2 s" },
		{ 9940, "9.9 s" }, { 9960, "10 s" }, { 59000, "59 s" },
		{ 119000, "119 s" }, { 120000, "2 min" }, { 7199000, "120 min" },
		{ 7200000, "2 h" }, { 172800000, "2 d" },
	};
	char text[32];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		ctl_duration(text, sizeof text, rows[i].ms);
		cr_assert_str_eq(text, rows[i].text);
	}
}

Test(svctl_near, finds_what_was_meant)
{
	static const char *const list[] = { "status", "start", "stop",
	    "restart", "knowledge_nightly", "ollama",
	    "stack-orchestrator-1", NULL };
	static const struct {
		const char *word, *meant;
	} rows[] = {
		{ "statsu", "status" }, { "strat", "start" },
		{ "olama", "ollama" }, { "knowl", "knowledge_nightly" },
		{ "restat", "restart" }, { "frobnicate", NULL },
		{ "x", NULL }, { "", NULL },
		{ "orchestrator", "stack-orchestrator-1" },
	};
	const char *got;
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		got = ctl_nearest(rows[i].word, list);
		if (rows[i].meant == NULL)
			cr_assert_null(got, "%s: %s", rows[i].word, got);
		else
			cr_assert_str_eq(got, rows[i].meant);
	}
}

static struct sv
make(const char *type, const char *want, const char *state, int pid,
    const char *exit_at, int code)
{
	struct sv sv = { .pid = pid, .exit_code = code, .enabled = true,
	    .exit_good = code == 0 };

	(void)strlcpy(sv.name, "a", sizeof sv.name);
	(void)strlcpy(sv.type, type, sizeof sv.type);
	(void)strlcpy(sv.want, want, sizeof sv.want);
	(void)strlcpy(sv.state, state, sizeof sv.state);
	(void)strlcpy(sv.health, "unknown", sizeof sv.health);
	(void)strlcpy(sv.exit_at, exit_at, sizeof sv.exit_at);
	(void)strlcpy(sv.exit_kind, exit_at[0] != '\0' ? "exit" : "",
	    sizeof sv.exit_kind);
	return sv;
}

Test(svctl_judge, knows_when_a_verb_has_had_its_effect)
{
	static const struct {
		const char *verb, *type, *want, *state;
		int	 pid;
		const char *exit_at;
		int	 code;
		enum outcome outcome;
	} rows[] = {	/* before: pid 1, no exit */
		{ "start", "daemon", "up", "UP", 2, "", 0, DONE },
		{ "start", "daemon", "up", "WAITING", 0, "", 0, GOES_ON },
		{ "start", "daemon", "up", "STARTING", 2, "", 0, GOES_ON },
		{ "start", "daemon", "up", "BACKOFF", 0, "t", 3, FAILED },
		{ "start", "daemon", "up", "TRIPPED", 0, "t", 3, FAILED },
		{ "start", "daemon", "down", "DOWN", 0, "t", 0, DONE },
		{ "start", "daemon", "down", "DOWN", 0, "t", 3, FAILED },
		{ "start", "daemon", "down", "DOWN", 0, "", 0, FAILED },
		{ "start", "oneshot", "down", "DOWN", 0, "t", 0, DONE },
		{ "start", "oneshot", "down", "DOWN", 0, "t", 3, FAILED },
		{ "start", "oneshot", "once", "UP", 2, "", 0, GOES_ON },
		{ "stop", "daemon", "down", "STOPPING", 1, "", 0, GOES_ON },
		{ "stop", "daemon", "down", "DOWN", 0, "t", 9, DONE },
		{ "restart", "daemon", "up", "UP", 1, "", 0, GOES_ON },
		{ "restart", "daemon", "up", "UP", 2, "t", 0, DONE },
		{ "restart", "daemon", "up", "BACKOFF", 0, "t", 1, FAILED },
		{ "once", "daemon", "down", "DOWN", 0, "", 0, GOES_ON },
		{ "once", "daemon", "down", "DOWN", 0, "t", 0, DONE },
		{ "enable", "oneshot", "down", "DOWN", 0, "", 0, DONE },
		{ "disable", "daemon", "down", "DOWN", 0, "t", 0, DONE },
		{ "wait", "daemon", "up", "BACKOFF", 0, "t", 1, GOES_ON },
		{ "wait", "daemon", "up", "UP", 1, "", 0, DONE },
	};
	struct sv before = make("daemon", "up", "UP", 1, "", 0), now;
	struct ctl c = { .json = false };
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		now = make(rows[i].type, rows[i].want, rows[i].state,
		    rows[i].pid, rows[i].exit_at, rows[i].code);
		cr_assert_eq(ctl_judge_of(rows[i].verb, &c)(&before, &now),
		    rows[i].outcome, "row %zu: %s", i, rows[i].verb);
	}
	c.opt[OPT_HEALTHY] = "";
	now = make("daemon", "up", "UP", 1, "", 0);
	cr_assert_eq(ctl_judge_of("wait", &c)(&before, &now), GOES_ON);
	(void)strlcpy(now.health, "busy", sizeof now.health);
	cr_assert_eq(ctl_judge_of("wait", &c)(&before, &now), DONE);
	cr_assert_str_eq(ctl_judge_word("wait", &c), "healthy");
}

Test(svctl_why, the_first_unmet_need_is_named)
{
	struct sv sv[3] = { make("daemon", "up", "WAITING", 0, "", 0),
	    make("daemon", "up", "UP", 1, "", 0),
	    make("oneshot", "down", "DOWN", 0, "t", 0) };
	struct list l = { .sv = sv, .n = 3 };
	bool healthy;

	(void)strlcpy(sv[1].name, "b", sizeof sv[1].name);
	(void)strlcpy(sv[2].name, "job", sizeof sv[2].name);
	(void)strlcpy(sv[0].needs, "b:healthy job", sizeof sv[0].needs);
	cr_assert_eq(ctl_unmet(&l, &sv[0], &healthy), &sv[1]);
	cr_assert(healthy);
	(void)strlcpy(sv[1].health, "ok", sizeof sv[1].health);
	cr_assert_null(ctl_unmet(&l, &sv[0], &healthy));
	sv[2].exit_code = 1;
	sv[2].exit_good = false;
	cr_assert_eq(ctl_unmet(&l, &sv[0], &healthy), &sv[2]);
	cr_assert_not(healthy);
}

Test(svctl_why, every_state_but_rest_has_a_next_step)
{
	static const char *const states[] = { "WAITING", "STARTING",
	    "STOPPING", "FINISHING", "BACKOFF", "TRIPPED", "UNKNOWN" };
	char text[128];
	struct sv sv;
	size_t i;

	for (i = 0; i < nitems(states); i++) {
		sv = make("daemon", "up", states[i], 0, "", 0);
		ctl_next_step(text, sizeof text, &sv);
		cr_assert_str_not_empty(text, "%s", states[i]);
		cr_assert_null(strchr(text, '%'), "%s", text);
		(void)strlcpy(sv.next_at, "2999-01-01T00:00:00Z",
		    sizeof sv.next_at);
		ctl_next_step(text, sizeof text, &sv);
		cr_assert_str_not_empty(text, "%s", states[i]);
		cr_assert_null(strchr(text, '%'), "%s", text);
	}
	sv = make("daemon", "up", "UP", 1, "", 0);
	ctl_next_step(text, sizeof text, &sv);
	cr_assert_str_empty(text);
}
