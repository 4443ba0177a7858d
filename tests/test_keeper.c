/* SPDX-License-Identifier: ISC */
/* What container-keeper does next, and what it has compose do. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "compose.h"
#include "keeper.h"

#define S	INT64_C(1000000000)
#define T0	(1700000000 * S)

static struct docker_container
box(const char *status, int exit_code, int restarts, const char *started)
{
	struct docker_container c = { .exists = true, .id = "c0ffee",
	    .exit_code = exit_code, .restarts = restarts };

	(void)snprintf(c.status, sizeof c.status, "%s", status);
	(void)snprintf(c.started, sizeof c.started, "%s", started);
	return c;
}

static const struct docker_container none;

static void
event(struct keeper *k, const char *action, int64_t at_ns, int number,
    int64_t now_ms)
{
	struct docker_event e = { .name = "box", .id = "c0ffee",
	    .exit_code = number, .signo = number, .time_ns = at_ns };

	(void)snprintf(e.action, sizeof e.action, "%s", action);
	keeper_event(k, &e, now_ms);
}

static enum step
see(struct keeper *k, const char *status, int exit_code, int restarts,
    const char *started, int64_t now_ms)
{
	struct docker_container c = box(status, exit_code, restarts, started);

	return keeper_saw(k, &c, now_ms);
}

/* A keeper whose container runs since 0. */
static void
begin_running(struct keeper *k)
{
	keeper_init(k, 0, 0);
	cr_assert_eq(keeper_due(k, 0), STEP_FIND);
	keeper_begin(k, 0);
	cr_assert_eq(keeper_due(k, 0), STEP_LOOK);
	cr_assert_eq(see(k, "running", 0, 0, "a", 0), STEP_RUNNING);
	cr_assert_eq(k->phase, PH_RUN);
}

Test(keeper, brings_up_only_what_does_not_run)
{
	static const struct {
		const char *status;
		enum step step;
		enum phase phase;
	} t[] = {
		{ "",		STEP_UP,	PH_UP },	/* none */
		{ "created",	STEP_UP,	PH_UP },
		{ "exited",	STEP_UP,	PH_UP },
		{ "dead",	STEP_UP,	PH_UP },
		{ "configured",	STEP_UP,	PH_UP },
		{ "running",	STEP_RUNNING,	PH_RUN },
		{ "restarting",	STEP_DOCKER,	PH_SETTLE },
		{ "paused",	STEP_RUNNING,	PH_RUN },
		{ "removing",	STEP_WAIT,	PH_LOOK },
		{ "sleepwalking", STEP_WAIT,	PH_LOOK },
	};
	struct docker_container c;
	struct keeper k;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		keeper_init(&k, 0, 0);
		keeper_begin(&k, 0);
		c = box(t[i].status, 1, 0, "a");
		c.exists = *t[i].status != '\0';
		cr_expect_eq(keeper_saw(&k, &c, 0), t[i].step, "%s",
		    t[i].status);
		cr_expect_eq(k.phase, t[i].phase, "%s", t[i].status);
		cr_expect_eq(k.paused, strcmp(t[i].status, "paused") == 0);
	}
}

Test(keeper, every_phase_knows_every_status)
{
	static const char *const status[] = { "exited", "running",
	    "restarting", "paused", "removing" };
	struct docker_container c;
	struct keeper k;
	enum phase phase;
	size_t i;

	for (phase = PH_ENGINE; phase <= PH_DEAD; phase++)
		for (i = 0; i <= nitems(status); i++) {
			keeper_init(&k, 0, 0);
			k.phase = phase;
			c = i < nitems(status) ? box(status[i], 1, 0, "a") :
			    none;
			(void)keeper_saw(&k, &c, 5);
			/* It goes on by itself: there is a next step. */
			cr_expect(k.phase == PH_UP ||
			    keeper_deadline(&k) < INT64_MAX,
			    "phase %d, status %zu", (int)phase, i);
		}
}

Test(keeper, what_compose_brought_must_run)
{
	struct keeper k;

	keeper_init(&k, 0, 0);
	keeper_begin(&k, 0);
	(void)keeper_saw(&k, &none, 0);
	cr_expect_eq(keeper_deadline(&k), INT64_MAX, "compose is at work");
	keeper_upped(&k, 1000);
	cr_expect_eq(keeper_due(&k, 1000), STEP_LOOK);
	cr_expect_eq(see(&k, "running", 0, 0, "b", 1001), STEP_RUNNING);
	cr_expect_eq(k.story, STORY_PLAIN);

	/* It died at once. */
	keeper_upped(&k, 2000);
	cr_expect_eq(see(&k, "exited", 5, 0, "c", 2001), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, 2001), STEP_EXIT);
	cr_expect_eq(k.exit_code, 5);

	/* It hangs between two states. */
	keeper_init(&k, 0, 0);
	keeper_upped(&k, 3000);
	cr_expect_eq(see(&k, "removing", 0, 0, "", 3000), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, 3000 + KEEPER_UP_MS), STEP_EXIT);
	cr_expect_neq(k.exit_code, 0);
}

Test(keeper, exits_with_the_code_of_the_container)
{
	static const int codes[] = { 0, 1, 3, 100, 143, 255 };
	struct keeper k;
	size_t i;

	for (i = 0; i < nitems(codes); i++) {
		begin_running(&k);
		event(&k, "die", T0, codes[i], 50);
		cr_expect_eq(keeper_due(&k, 50), STEP_LOOK);
		cr_expect_eq(see(&k, "exited", codes[i], 0, "a", 51),
		    STEP_WAIT);
		cr_expect_eq(keeper_due(&k, 51), STEP_EXIT, "at once");
		cr_expect_eq(k.exit_code, codes[i]);
		cr_expect(k.judged && k.death == DEATH_OTHER);
	}
}

Test(keeper, the_hand_behind_137_is_looked_for)
{
	static const struct {
		const char *first;	/* event before the death */
		int	 number;
		bool	 flag;		/* OOMKilled */
		int64_t	 patience;
		enum death death;
	} t[] = {
		{ "oom",	0, false,	0, DEATH_OOM },
		{ "start",	0, true,	0, DEATH_OOM },
		{ "kill",	9, false,	0, DEATH_DELIBERATE },
		{ "kill",	15, false,	KEEPER_DEATH_MS,
		    DEATH_DELIBERATE },
		{ "start",	0, false,	KEEPER_DEATH_MS,
		    DEATH_UNKNOWN },
	};
	struct docker_container c;
	struct keeper k;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		begin_running(&k);
		event(&k, t[i].first, T0, t[i].number, 90);
		event(&k, "die", T0 + S / 30, 137, 100);
		c = box("exited", 137, 0, "a");
		c.oom = t[i].flag;
		c.memory = 64 << 20;
		cr_expect_eq(keeper_saw(&k, &c, 100), STEP_WAIT);
		cr_expect_eq(keeper_deadline(&k), 100 + t[i].patience,
		    "row %zu", i);
		cr_expect_eq(keeper_due(&k, 100 + t[i].patience), STEP_EXIT);
		cr_expect_eq(k.exit_code, 137);
		cr_expect_eq(k.death, t[i].death, "row %zu: %d", i,
		    (int)k.death);
		cr_expect_eq(k.limit, 64 << 20);
	}
}

Test(keeper, a_late_oom_event_ends_the_wait)
{
	struct keeper k;

	begin_running(&k);
	event(&k, "die", T0, 137, 100);
	(void)see(&k, "exited", 137, 0, "a", 100);
	cr_expect_eq(keeper_due(&k, 100), STEP_WAIT);
	event(&k, "oom", T0 + S / 10, 0, 200);
	cr_expect_eq(keeper_due(&k, 200), STEP_LOOK);
	(void)see(&k, "exited", 137, 0, "a", 200);
	cr_expect_eq(keeper_due(&k, 200), STEP_EXIT);
	cr_expect_eq(k.death, DEATH_OOM);
}

Test(keeper, a_removed_one_has_the_code_of_its_last_event)
{
	struct keeper k;

	begin_running(&k);
	event(&k, "kill", T0, 9, 100);
	event(&k, "die", T0 + 1, 137, 100);
	event(&k, "destroy", T0 + 2, 0, 101);
	(void)keeper_saw(&k, &none, 101);
	cr_expect_eq(keeper_due(&k, 101), STEP_EXIT);
	cr_expect_eq(k.exit_code, 137);
	cr_expect(k.box.hard);

	/* Nobody has told of it. */
	begin_running(&k);
	(void)keeper_saw(&k, &none, 101);
	cr_expect_eq(keeper_due(&k, 101), STEP_EXIT);
	cr_expect_eq(k.exit_code, 1);
}

Test(keeper, docker_restart_by_a_person_is_no_exit)
{
	struct keeper k;

	begin_running(&k);
	event(&k, "kill", T0, 15, 100);
	event(&k, "die", T0 + S / 10, 0, 200);
	(void)see(&k, "exited", 0, 0, "a", 200);
	cr_expect_eq(keeper_due(&k, 200), STEP_WAIT);
	event(&k, "start", T0 + S / 5, 0, 300);
	cr_expect_eq(see(&k, "running", 0, 0, "b", 300), STEP_RUNNING);
	cr_expect_eq(k.story, STORY_OTHER);
	cr_expect_eq(k.phase, PH_RUN);
	cr_expect(k.judged && k.death == DEATH_DELIBERATE);
}

Test(keeper, docker_s_policy_gets_its_time)
{
	struct keeper k;

	begin_running(&k);
	event(&k, "die", T0, 3, 100);
	cr_expect_eq(see(&k, "restarting", 3, 1, "a", 100), STEP_DOCKER);
	cr_expect(k.judged && k.death == DEATH_OTHER);
	cr_expect_eq(keeper_due(&k, KEEPER_SOON_MS + 99), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, KEEPER_SOON_MS + 100), STEP_LOOK);
	event(&k, "start", T0 + S, 0, 1200);
	cr_expect_eq(see(&k, "running", 0, 1, "b", 1200), STEP_RUNNING);
	cr_expect_eq(k.story, STORY_DOCKER);

	/* It is quicker than our look. */
	event(&k, "die", T0 + 9 * S, 3, 9000);
	event(&k, "start", T0 + 9 * S + 1, 0, 9000);
	cr_expect_eq(see(&k, "running", 0, 2, "c", 9000), STEP_RUNNING);
	cr_expect_eq(k.story, STORY_DOCKER);

	/* It does not manage. */
	(void)see(&k, "restarting", 3, 3, "c", 10000);
	(void)see(&k, "restarting", 3, 9, "d", 60000);
	cr_expect_eq(keeper_due(&k, 10000 + KEEPER_DOCKER_MS), STEP_EXIT);
	cr_expect_eq(k.exit_code, 3);
}

Test(keeper, after_many_restarts_running_has_to_be_proven)
{
	struct keeper k;

	begin_running(&k);
	(void)see(&k, "restarting", 137, KEEPER_LOOP, "a", 1000);
	cr_expect_eq(see(&k, "running", 0, KEEPER_LOOP, "b", 2000),
	    STEP_WAIT);
	cr_expect_eq(k.phase, PH_SETTLE);
	(void)see(&k, "restarting", 137, KEEPER_LOOP + 1, "b", 4000);
	cr_expect_eq(see(&k, "running", 0, KEEPER_LOOP + 1, "c", 5000),
	    STEP_WAIT, "another run begins anew");
	cr_expect_eq(keeper_due(&k, 5000 + KEEPER_PROOF_MS), STEP_LOOK);
	cr_expect_eq(see(&k, "running", 0, KEEPER_LOOP + 1, "c",
	    5000 + KEEPER_PROOF_MS), STEP_RUNNING);

	/* Who comes to one that runs knows no better. */
	keeper_init(&k, 0, 0);
	keeper_begin(&k, 0);
	cr_expect_eq(see(&k, "running", 0, 40, "z", 0), STEP_RUNNING);
	/* ... but for who comes back after a death. */
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	cr_expect_eq(see(&k, "running", 0, 40, "z", 0), STEP_WAIT);
}

static void
finished(struct docker_container *c, int64_t at_ns)
{
	time_t s = (time_t)(at_ns / S);
	char text[32];

	(void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime(&s));
	(void)snprintf(c->finished, sizeof c->finished, "%.19s.%09dZ", text,
	    (int)(at_ns % S));
}

/* Killed by order and started again, it dies of memory before its keeper has
 * looked: the events of the second death are late. */
Test(keeper, a_death_is_not_explained_by_the_one_before)
{
	struct docker_container c = box("exited", 137, 0, "b");
	struct keeper k;

	begin_running(&k);
	event(&k, "kill", T0, 9, 1);
	event(&k, "die", T0 + 30000000, 137, 1);
	c.oom = true;
	finished(&c, T0 + 2 * S);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, 2), STEP_EXIT);
	cr_expect(k.judged && k.death == DEATH_OOM);

	/* The other way round, and the mark is not there to help. */
	c.oom = false;
	begin_running(&k);
	event(&k, "oom", T0, 0, 1);
	event(&k, "die", T0 + 30000000, 137, 1);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	event(&k, "start", T0 + S, 0, 3);
	event(&k, "kill", T0 + 2 * S, 9, 3);
	event(&k, "die", T0 + 2 * S + 1, 137, 3);
	cr_expect_eq(keeper_saw(&k, &c, 4), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, 4), STEP_EXIT);
	cr_expect(k.judged && k.death == DEATH_DELIBERATE);
}

Test(keeper, the_past_death_is_explained_by_the_events)
{
	struct docker_container c = box("exited", 137, 0, "a");
	const struct docker_event start = { .name = "box", .id = "beef",
	    .action = "start", .time_ns = T0 + S };
	struct keeper k;

	/* They have come. */
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	event(&k, "kill", T0, 9, 1);
	event(&k, "die", T0 + 1, 137, 1);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_DELIBERATE);

	/* They come a bit later, those of another death first. */
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	event(&k, "die", T0, 1, 1);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	event(&k, "start", T0 + S, 0, 3);
	event(&k, "oom", T0 + 5 * S, 0, 3);
	event(&k, "die", T0 + 5 * S + 1, 137, 3);
	cr_expect_eq(keeper_saw(&k, &c, 4), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_OOM);

	/* They are lost, but the mark is there. */
	c.oom = true;
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	cr_expect_eq(keeper_due(&k, 2 + KEEPER_EVIDENCE_MS), STEP_LOOK);
	cr_expect_eq(keeper_saw(&k, &c, 2 + KEEPER_EVIDENCE_MS), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_OOM);

	/* They are late; those of the death before, by order, of the very same
	 * container are there: it ended again since, as the engine says. */
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	event(&k, "kill", T0, 9, 1);
	event(&k, "die", T0 + 1, 137, 1);
	event(&k, "start", T0 + S, 0, 1);
	finished(&c, T0 + 2 * S);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	cr_expect_eq(keeper_saw(&k, &c, 2 + KEEPER_EVIDENCE_MS), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_OOM);
	finished(&c, T0);
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	event(&k, "kill", T0, 9, 1);
	event(&k, "die", T0 + 1, 137, 1);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_DELIBERATE);
	c.finished[0] = '\0';

	/* They are late; those of a container that had its name are there,
	 * and the start of this one. */
	(void)snprintf(c.id, sizeof c.id, "beef");
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	event(&k, "kill", T0, 9, 1);
	event(&k, "die", T0 + 1, 137, 1);
	keeper_event(&k, &start, 1);
	cr_expect_eq(keeper_saw(&k, &c, 2), STEP_WAIT);
	cr_expect_eq(keeper_saw(&k, &c, 2 + KEEPER_EVIDENCE_MS), STEP_UP);
	cr_expect(k.judged && k.death == DEATH_OOM);

	/* There is nothing: nothing is said. */
	c = box("exited", 137, 0, "a");
	keeper_init(&k, 137, 0);
	keeper_begin(&k, 0);
	(void)keeper_saw(&k, &c, 2);
	cr_expect_eq(keeper_saw(&k, &c, 2 + KEEPER_EVIDENCE_MS), STEP_UP);
	cr_expect_not(k.judged);
}

Test(keeper, two_silences_mean_no_engine)
{
	struct keeper k;
	int64_t now, step = 0;
	int i;

	begin_running(&k);
	cr_expect_not(keeper_missed(&k, 100));
	cr_expect_eq(keeper_deadline(&k), 100 + KEEPER_AGAIN_MS);
	cr_expect_eq(see(&k, "running", 0, 0, "a", 700), STEP_WAIT);
	cr_expect_not(keeper_missed(&k, 800));
	cr_expect(keeper_missed(&k, 1300));
	cr_expect_eq(k.phase, PH_ENGINE);
	now = keeper_deadline(&k);
	for (i = 0; i < 20; i++) {
		cr_expect_eq(keeper_due(&k, now), STEP_FIND);
		cr_expect_not(keeper_missed(&k, now), "gone is gone");
		cr_expect_geq(keeper_deadline(&k) - now, step);
		step = keeper_deadline(&k) - now;
		now = keeper_deadline(&k);
	}
	cr_expect_eq(step, KEEPER_FIND_MAX_MS);
	/* Back: what ended with the engine is brought up, not mourned. */
	keeper_begin(&k, now);
	cr_expect_eq(see(&k, "exited", 255, 0, "a", now), STEP_UP);
}

/* --- compose */

static void
expect_command(const struct conf_container *c, enum compose_kind kind,
    bool alone, const char *want)
{
	const char *argv[COMPOSE_ARGS];
	char got[512] = "";
	size_t n = 0;
	int i;

	compose_up(c, kind, alone, argv);
	for (i = 0; argv[i] != NULL; i++)
		n += (size_t)snprintf(got + n, sizeof got - n, "%s%s",
		    i > 0 ? " " : "", argv[i]);
	cr_expect_str_eq(got, want);
}

Test(compose, commands_bring_up_and_do_no_more)
{
	static char box_name[] = "box", service[] = "svc", file[] = "/a/c.yml",
	    project[] = "p";
	struct conf_container c = { .name = box_name, .compose = file };

	expect_command(&c, COMPOSE_V2, false, "docker compose -f /a/c.yml up "
	    "-d --no-recreate --no-build box");
	c.project = project;
	c.service = service;
	expect_command(&c, COMPOSE_V1, true, "docker-compose -p p -f "
	    "/a/c.yml up -d --no-recreate --no-build --no-deps svc");
}

Test(compose, others_of_the_same_file_may_be_held)
{
	static char a[] = "a", b[] = "b", c[] = "c", one[] = "/1.yml",
	    two[] = "/2.yml";
	const struct conf_container in_one = { .compose = one };
	const struct conf_container in_two = { .compose = two };
	struct conf_service sv[] = {
		{ .name = a, .container = &in_one },
		{ .name = b, .container = &in_one },
		{ .name = c, .container = &in_two },
	};
	struct conf_tree t = { .service = sv, .n = 3 };
	static const struct {
		const char *list;
		bool	 held;
	} rows[] = {
		{ "[]", false },
		{ "[{\"name\":\"b\",\"want\":\"up\",\"state\":\"UP\"}]",
		    false },
		{ "[{\"name\":\"b\",\"want\":\"up\",\"state\":\"STARTING\"}]",
		    false },
		{ "[{\"name\":\"b\",\"want\":\"down\",\"state\":\"DOWN\"}]",
		    true },
		{ "[{\"name\":\"b\",\"want\":\"up\",\"state\":\"WAITING\"}]",
		    true },
		{ "[{\"name\":\"b\",\"want\":\"up\",\"state\":\"TRIPPED\"}]",
		    true },
		/* itself, another file's, one that is unknown here */
		{ "[{\"name\":\"a\",\"want\":\"down\"},"
		    "{\"name\":\"c\",\"want\":\"down\"},"
		    "{\"name\":\"d\",\"want\":\"down\"}]", false },
	};
	struct json_tok tok[64];
	char err[JSON_ERR_LEN];
	struct json j;
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		cr_assert_eq(json_parse(&j, rows[i].list,
		    strlen(rows[i].list), tok, nitems(tok), err), 0);
		cr_expect_eq(compose_others_held(&j, 0, &t, &sv[0]),
		    rows[i].held, "%s", rows[i].list);
	}
}
