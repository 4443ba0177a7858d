/* SPDX-License-Identifier: ISC */
/* What the OOM watcher concludes, without Docker and without memory. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "box.h"
#include "oom_growth.h"
#include "oom_kmsg.h"
#include "oom_ladder.h"
#include "oom_trend.h"

#define S	INT64_C(1000000000)	/* ns */
#define T0	(1700000000 * S)
#define GIB	(INT64_C(1) << 30)

static void
feed(struct box *b, const char *action, int64_t at_ns, int number)
{
	struct docker_event e = { .name = "worker", .id = "c0ffee",
	    .exit_code = number, .signo = number, .time_ns = at_ns };

	(void)snprintf(e.action, sizeof e.action, "%s", action);
	box_event(b, &e, 1000);
}

static enum death
die_quickly(struct box *b, int64_t start_ns, int age_s, bool oom)
{
	int64_t end = start_ns + age_s * S;

	feed(b, "start", start_ns, 0);
	if (oom)
		feed(b, "oom", end - S / 30, 0);
	feed(b, "die", end, 137);
	return box_judge(b, false);
}

Test(oom_policy, evidence_tells_whose_hand_it_was)
{
	static const struct {
		struct evidence	 ev;
		enum death	 want;
	} t[] = {
		{ { 137, true,	false, true },	DEATH_OOM },
		{ { 137, true,	false, false },	DEATH_OOM },
		{ { 137, false, false, true },	DEATH_OOM },
		{ { 137, true,	true,  true },	DEATH_OOM },
		{ { 137, false, true,  false },	DEATH_DELIBERATE },
		{ { 137, false, true,  true },	DEATH_DELIBERATE },
		{ { 137, false, false, false },	DEATH_UNKNOWN },
		{ { 1,	 true,	false, true },	DEATH_CHILD },
		{ { 1,	 false, false, true },	DEATH_OTHER },
		{ { 1,	 false, false, false },	DEATH_OTHER },
		{ { 143, false, true,  false },	DEATH_DELIBERATE },
		{ { 143, true,	true,  true },	DEATH_DELIBERATE },
		{ { 0,	 false, false, false },	DEATH_OTHER },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(death_judge(&t[i].ev), t[i].want, "row %zu", i);
}

Test(oom_policy, events_around_a_death_make_the_evidence)
{
	static const struct {
		const char	*action;	/* beside the death */
		int		 number;
		int64_t		 offset_ms;
		enum death	 want;
		bool		 at_once;
	} t[] = {
		{ "oom",    0,	-31,	DEATH_OOM,	  true },
		{ "oom",    0,	+900,	DEATH_OOM,	  true },
		{ "oom",    0,	-60000, DEATH_UNKNOWN,	  false },
		{ "kill",   9,	-10,	DEATH_DELIBERATE, true },
		{ "kill",   9,	-9000,	DEATH_UNKNOWN,	  false },
		{ "kill",   1,	-10,	DEATH_UNKNOWN,	  false },
		{ "kill",   15, -2000,	DEATH_DELIBERATE, true },
		{ "stop",   0,	+20,	DEATH_DELIBERATE, true },
		{ "pause",  0,	-10,	DEATH_UNKNOWN,	  false },
	};
	struct box b;
	int64_t at;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		b = (struct box){ .name = "" };
		at = T0 + 100 * S;
		feed(&b, "start", T0, 0);
		if (t[i].offset_ms < 0)
			feed(&b, t[i].action, at + t[i].offset_ms * (S / 1000),
			    t[i].number);
		feed(&b, "die", at, 137);
		if (t[i].offset_ms > 0)
			feed(&b, t[i].action, at + t[i].offset_ms * (S / 1000),
			    t[i].number);
		cr_expect(b.pending, "row %zu", i);
		cr_expect_eq(b.deadline_ms,
		    t[i].at_once ? 1000 : 1000 + BOX_WINDOW_MS, "row %zu", i);
		cr_expect_eq(box_judge(&b, false), t[i].want, "row %zu", i);
		cr_expect_not(b.pending);
	}
}

Test(oom_policy, the_next_run_s_events_are_not_the_death_s)
{
	struct docker_event oom = { .action = "oom",
	    .time_ns = T0 + 12 * S };
	struct box b = { .name = "" };

	feed(&b, "start", T0, 0);
	feed(&b, "die", T0 + 10 * S, 137);
	cr_expect_not(box_is_overdue(&b, &oom));
	feed(&b, "start", T0 + 11 * S, 0);
	cr_expect(box_is_overdue(&b, &oom));
	cr_expect_eq(box_judge(&b, false), DEATH_UNKNOWN);
	feed(&b, "oom", T0 + 12 * S, 0);
	feed(&b, "die", T0 + 12 * S + 1, 137);
	cr_expect_eq(box_judge(&b, false), DEATH_OOM);
	cr_expect_eq(b.age_s, 1);
	cr_expect_eq(box_ooms(&b), 1);
}

Test(oom_policy, an_oom_kill_that_the_container_outlives_is_told_alone)
{
	struct box b = { .name = "" };

	feed(&b, "start", T0, 0);
	feed(&b, "oom", T0 + 5 * S, 0);
	cr_expect(b.alone);
	cr_expect_eq(b.deadline_ms, 1000 + BOX_WINDOW_MS);
	box_outlived(&b);
	cr_expect_not(b.alone);
	cr_expect_eq(box_ooms(&b), 1);
	feed(&b, "die", T0 + 6 * S, 1);
	cr_expect_eq(box_judge(&b, true), DEATH_OTHER);
}

Test(oom_policy, five_quick_deaths_are_a_loop_told_once)
{
	struct box b = { .name = "" };
	struct loop l;
	int i;

	for (i = 0; i < BOX_LOOP - 1; i++) {
		cr_expect_eq(die_quickly(&b, T0 + i * 20 * S, 1 + i % 3, true),
		    DEATH_OOM);
		cr_expect_not(box_loop(&b, &l), "death %d", i);
	}
	(void)die_quickly(&b, T0 + i * 20 * S, 2, true);
	cr_assert(box_loop(&b, &l));
	cr_expect_eq(l.deaths, 5);
	cr_expect_eq(l.min_s, 1);
	cr_expect_eq(l.max_s, 3);
	cr_expect_eq(l.ooms, 5);
	cr_expect_eq(box_ooms(&b), 5);
	(void)die_quickly(&b, T0 + 120 * S, 2, true);
	cr_expect_not(box_loop(&b, &l));
}

Test(oom_policy, slow_deliberate_or_old_deaths_are_no_loop)
{
	struct box slow = { .name = "" }, old = { .name = "" };
	struct box asked = { .name = "" };
	struct loop l;
	int i;

	for (i = 0; i < 2 * BOX_LOOP; i++) {
		(void)die_quickly(&slow, T0 + i * 50 * S, 40, false);
		cr_expect_not(box_loop(&slow, &l));
		(void)die_quickly(&old, T0 + i * 300 * S, 2, true);
		cr_expect_not(box_loop(&old, &l));
		feed(&asked, "start", T0 + i * 20 * S, 0);
		feed(&asked, "kill", T0 + i * 20 * S + S, 9);
		feed(&asked, "die", T0 + i * 20 * S + S, 137);
		(void)box_judge(&asked, false);
		cr_expect_not(box_loop(&asked, &l));
	}
	cr_expect_eq(box_ooms(&old), 2);
}

Test(oom_policy, a_kill_and_a_stop_have_words_of_their_own)
{
	static const struct {
		const char *first, *second;
		int	 signo[2];
		const char *want;
	} t[] = {
		{ "kill", "start", { 9, 0 }, "killed by order" },
		{ "kill", "stop", { 15, 0 }, "stopped by order" },
		{ "kill", "kill", { 15, 9 }, "stopped by order" },
		{ "kill", "stop", { 9, 0 }, "stopped by order" },
	};
	char what[200], advice[120];
	struct box b;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		b = (struct box){ .name = "" };
		feed(&b, "start", T0, 0);
		feed(&b, t[i].first, T0 + 9 * S, t[i].signo[0]);
		if (strcmp(t[i].second, "kill") == 0)
			feed(&b, "kill", T0 + 19 * S, t[i].signo[1]);
		feed(&b, "die", T0 + 19 * S + S / 9, 137);
		if (strcmp(t[i].second, "kill") != 0)
			feed(&b, t[i].second, T0 + 19 * S + S / 8, 0);
		(void)box_judge(&b, false);
		death_words(DEATH_DELIBERATE, &b, 0, what, sizeof what,
		    advice, sizeof advice);
		cr_expect_not_null(strstr(what, t[i].want), "row %zu: %s", i,
		    what);
		cr_expect_str_eq(advice, "");
	}
}

Test(oom_policy, podman_tells_of_oom_with_the_death)
{
	struct docker_event die = { .action = "die", .name = "worker",
	    .exit_code = 137, .oom = true, .time_ns = T0 };
	struct box b = { .name = "" };

	box_event(&b, &die, 1000);
	cr_expect_eq(b.deadline_ms, 1000);
	cr_expect_eq(box_judge(&b, false), DEATH_OOM);
}

Test(oom_policy, words_name_container_limit_count_and_advice)
{
	char what[160], advice[80];
	struct box b = { .name = "" };
	struct loop l;
	int i;

	for (i = 0; i < 3; i++)
		(void)die_quickly(&b, T0 + i * 60 * S, 30, true);
	death_words(DEATH_OOM, &b, 64 << 20, what, sizeof what, advice,
	    sizeof advice);
	cr_expect_str_eq(what, "container worker killed by the kernel for "
	    "memory (limit 64 MiB), 3rd time in 10 min");
	cr_expect(strncmp(advice, "raise the limit", 15) == 0);
	death_words(DEATH_OOM, &b, 0, what, sizeof what, advice,
	    sizeof advice);
	cr_expect_not_null(strstr(what, "(no limit)"));
	cr_expect(strncmp(advice, "give Docker's VM", 16) == 0);
	l = (struct loop){ .deaths = 5, .min_s = 1, .max_s = 3, .ooms = 5 };
	loop_words(&l, &b, what, sizeof what);
	cr_expect_not_null(strstr(what,
	    "died 5 times within 10 min, each 1-3 s after start"));
}

Test(oom_policy, sizes_are_short)
{
	static const struct {
		int64_t		 bytes;
		const char	*want;
	} t[] = {
		{ 0, "0 MiB" }, { 64 << 20, "64 MiB" }, { GIB, "1 GiB" },
		{ 16 * GIB, "16 GiB" }, { GIB * 21 / 10, "2.1 GiB" },
	};
	char got[24];
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		size_words(t[i].bytes, got, sizeof got);
		cr_expect_str_eq(got, t[i].want);
	}
}

Test(oom_policy, the_ladder_is_climbed_at_once_and_left_slowly)
{
	static const struct {
		int		 free;	/* percent */
		int		 stall, verdict;
		int64_t		 swap;
		enum pressure	 want;
	} t[] = {
		{ 50, -1, 0, 0, PRESSURE_OK },
		{ 13, -1, 0, 0, PRESSURE_OK },
		{ 10, -1, 0, 0, PRESSURE_WARNING },
		{ 14, -1, 0, 0, PRESSURE_WARNING },	/* kept: below 16 */
		{ 50, -1, 0, 0, PRESSURE_WARNING },
		{ 50, -1, 0, 0, PRESSURE_WARNING },
		{ 50, -1, 0, 0, PRESSURE_OK },
		{ 3,  -1, 0, 0, PRESSURE_CRITICAL },
		{ 50, -1, 0, 0, PRESSURE_CRITICAL },
		{ 7,  -1, 0, 0, PRESSURE_CRITICAL },	/* counts anew */
		{ 10, -1, 0, 0, PRESSURE_CRITICAL },
		{ 10, -1, 0, 0, PRESSURE_CRITICAL },
		{ 10, -1, 0, 0, PRESSURE_WARNING },
		{ 50, 45, 0, 0, PRESSURE_CRITICAL },	/* stalls */
		{ 50, 0,  0, 0, PRESSURE_CRITICAL },
		{ 50, 0,  0, 0, PRESSURE_CRITICAL },
		{ 50, 0,  0, 0, PRESSURE_OK },
		{ 3,  -1, MEM_NORMAL, 0, PRESSURE_OK }, /* the kernel says */
		{ 3,  -1, MEM_WARN, 0, PRESSURE_WARNING },
		{ 3,  -1, MEM_CRITICAL, 0, PRESSURE_CRITICAL },
		{ 30, -1, MEM_NORMAL, 0, PRESSURE_CRITICAL },
		{ 30, -1, MEM_NORMAL, 0, PRESSURE_CRITICAL },
		{ 30, -1, MEM_NORMAL, 3 * GIB, PRESSURE_OK },
		{ 18, -1, MEM_NORMAL, 3 * GIB, PRESSURE_WARNING },
	};
	struct mem_sample m = { .total = 128 * GIB, .swap_total = 8 * GIB };
	struct ladder l = { .level = PRESSURE_OK };
	enum pressure before;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		before = l.level;
		m.available = m.total / 100 * t[i].free + m.total / 200;
		m.swap_used = t[i].swap;
		m.stall_percent = t[i].stall;
		m.verdict = t[i].verdict;
		cr_expect_eq(ladder_step(&l, &m), before != t[i].want,
		    "row %zu", i);
		cr_expect_eq(l.level, t[i].want, "row %zu: %s", i,
		    pressure_word(l.level));
	}
}

Test(oom_policy, the_host_in_words)
{
	struct mem_sample m = { .total = 100 * GIB,
	    .available = 9 * GIB + GIB / 2, .swap_used = GIB * 21 / 10,
	    .stall_percent = -1 };
	char got[80];

	host_words(&m, -1, got, sizeof got);
	cr_expect_str_eq(got, "memory 91 % used, swap 2.1 GiB");
	m.stall_percent = 12;
	host_words(&m, 3, got, sizeof got);
	cr_expect_str_eq(got, "memory 91 % used, swap 2.1 GiB, "
	    "stalled 12 %, disk 3 % free");
}

#define MIB	(INT64_C(1) << 20)

Test(trend, above_the_ceiling_is_told_once_and_below_it_again)
{
	struct trend t = { .n = 0 };
	char words[120];

	cr_expect_eq(trend_take(&t, 90 * MIB, 100 * MIB, 1), TREND_NONE);
	cr_expect_eq(trend_take(&t, 110 * MIB, 100 * MIB, 2), TREND_ABOVE);
	trend_words(&t, TREND_ABOVE, 110 * MIB, 100 * MIB, words,
	    sizeof words);
	cr_expect_str_eq(words, "memory 110 MiB is above max-memory 100 MiB");
	cr_expect_eq(trend_take(&t, 120 * MIB, 100 * MIB, 3), TREND_NONE);
	cr_expect_eq(trend_take(&t, 95 * MIB, 100 * MIB, 4), TREND_NONE);
	cr_expect_eq(trend_take(&t, 80 * MIB, 100 * MIB, 5), TREND_BELOW);
	cr_expect_eq(trend_take(&t, 1 << 30, 0, 6), TREND_NONE, "no ceiling");
}

/* Marks of ten minutes each. */
static int
leaks(const int *mib, int n)
{
	struct trend t = { .n = 0 };
	int i, told = 0;

	for (i = 0; i < n; i++)
		told += trend_take(&t, mib[i] * MIB, 0,
		    (int64_t)i * TREND_MARK_MS + 1) == TREND_LEAK;
	return told;
}

Test(trend, only_what_grows_for_an_hour_leaks)
{
	static const int leak[] = { 500, 560, 620, 680, 740, 800, 860, 920,
	    980 };
	static const int model[] = { 500, 5000, 5000, 5001, 5003, 5003, 5005,
	    5006 };
	static const int small[] = { 10, 20, 30, 40, 50, 60, 70, 80 };
	static const int slow[] = { 9000, 9050, 9100, 9150, 9200, 9250, 9300 };
	struct trend t = { .mark = { 500 * MIB } };
	char words[120];

	cr_expect_eq(leaks(leak, nitems(leak)), 1, "once in a run");
	cr_expect_eq(leaks(leak, TREND_MARKS - 1), 0, "not for an hour");
	cr_expect_eq(leaks(model, nitems(model)), 0, "loads a model");
	cr_expect_eq(leaks(small, nitems(small)), 0, "too little to matter");
	cr_expect_eq(leaks(slow, nitems(slow)), 0, "a large cache");
	trend_words(&t, TREND_LEAK, 860 * MIB, 0, words, sizeof words);
	cr_expect_str_eq(words, "memory only grows: from 500 MiB to 860 MiB "
	    "in 60 min; a leak?");
}

/* Looks a minute apart; the news of the last. */
static enum growth_news
grow(struct growth *g, int64_t *size, int64_t by, int64_t kept, int minute)
{
	struct log_look look = { .file = 1, .size = *size += by };

	return growth_take(g, &look, kept, (int64_t)minute * 60000);
}

Test(growth, a_log_that_lasts_less_than_an_hour_is_told_once)
{
	struct growth g = { .known = false };
	int64_t size = 50 * MIB;
	char words[160];

	cr_expect_eq(grow(&g, &size, 0, 100 * MIB, 1), GROWTH_NONE);
	cr_expect_eq(grow(&g, &size, 10 * MIB, 100 * MIB, 2), GROWTH_NONE,
	    "a burst");
	cr_expect_eq(grow(&g, &size, 0, 100 * MIB, 3), GROWTH_NONE);
	cr_expect_eq(grow(&g, &size, 10 * MIB, 100 * MIB, 4), GROWTH_NONE);
	cr_expect_eq(grow(&g, &size, 10 * MIB, 100 * MIB, 5), GROWTH_FAST);
	growth_words(&g, GROWTH_FAST, 100 * MIB, words, sizeof words);
	cr_expect_str_eq(words, "its log grows by 10 MiB a minute: the 100 "
	    "MiB that are kept hold the last 10 min");
	cr_expect_eq(grow(&g, &size, 10 * MIB, 100 * MIB, 6), GROWTH_NONE);
	cr_expect_eq(grow(&g, &size, MIB, 100 * MIB, 7), GROWTH_NONE,
	    "an hour and a half is not calm yet");
	cr_expect_eq(grow(&g, &size, MIB / 2, 100 * MIB, 8), GROWTH_NONE);
	cr_expect_eq(grow(&g, &size, MIB / 2, 100 * MIB, 9), GROWTH_CALM);
	growth_words(&g, GROWTH_CALM, 100 * MIB, words, sizeof words);
	cr_expect_str_eq(words, "its log grows slowly again: by 512 KiB a "
	    "minute");
}

Test(growth, what_was_rotated_counts_and_what_was_emptied_does_not)
{
	struct growth g = { .known = false };
	struct log_look look = { .file = 1, .size = 8 * MIB };

	(void)growth_take(&g, &look, 100 * MIB, 60000);
	look = (struct log_look){ .file = 2, .size = MIB,
	    .rotated = 30 * MIB };
	(void)growth_take(&g, &look, 100 * MIB, 120000);
	cr_expect_eq(g.rate, 23 * MIB);
	look = (struct log_look){ .file = 2, .size = 0 };
	(void)growth_take(&g, &look, 100 * MIB, 180000);
	cr_expect_eq(g.rate, 0, "truncated");
	look = (struct log_look){ .file = 3, .size = 2 * MIB };
	(void)growth_take(&g, &look, 100 * MIB, 240000);
	cr_expect_eq(g.rate, 2 * MIB, "removed, and begun anew");
}

Test(growth, a_small_log_is_no_growth)
{
	struct growth g = { .known = false };
	int64_t size = 0;
	int i;

	for (i = 1; i < 9; i++)
		cr_expect_eq(grow(&g, &size, 20 << 10, 64 << 10, i),
		    GROWTH_NONE);
}

Test(kmsg, kills_are_read_as_kernels_tell_them)
{
	static const struct {
		const char *line;
		int64_t	 pid;
		const char *name;
		int64_t	 rss;
		bool	 limited;
	} rows[] = {
		{ "3,1201,5403,-;Out of memory: Killed process 2592 "
		    "(llama-server) total-vm:900kB, anon-rss:2048kB, "
		    "file-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
		    2592, "llama-server", 2 * MIB, false },
		{ "3,1,2,-;Memory cgroup out of memory: Killed process 999 "
		    "(a b) total-vm:1kB, anon-rss:1024kB, file-rss:0kB", 999,
		    "a b", MIB, true },
		{ "Killed process 7 (x), UID 0, total-vm:1kB, anon-rss:4kB",
		    7, "x", 4096, false },
		{ "Out of memory: Kill process 7 (x) score 9 or sacrifice",
		    0, "", 0, false },
		{ "oom_reaper: reaped process 2592 (x), now anon-rss:0kB", 0,
		    "", 0, false },
		{ "Killed process -1 (x)", 0, "", 0, false },
		{ "Killed process 5 ", 0, "", 0, false },
		{ "illed process 5 (x)", 0, "", 0, false },
		{ "", 0, "", 0, false },
	};
	struct kernel_kill k;
	char words[120];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		cr_expect_eq(kmsg_parse(rows[i].line, strlen(rows[i].line),
		    &k), rows[i].pid != 0, "%s", rows[i].line);
		if (rows[i].pid == 0)
			continue;
		cr_expect_eq(k.pid, rows[i].pid);
		cr_expect_str_eq(k.name, rows[i].name);
		cr_expect_eq(k.rss, rows[i].rss);
		cr_expect_eq(k.limited, rows[i].limited);
	}
	(void)kmsg_parse(rows[0].line, strlen(rows[0].line), &k);
	kill_words(&k, "its process", words, sizeof words);
	cr_expect_str_eq(words,
	    "its process llama-server (pid 2592, 2 MiB)");
	cr_expect_eq(vmstat_kills("a 1\noom_kill 255\nb 2\n"), 255);
	cr_expect_eq(vmstat_kills("a 1\nnot_oom_kill 255\n"), -1);
}
