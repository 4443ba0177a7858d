/* SPDX-License-Identifier: ISC */
/*
 * The keeper's decisions as a table: phase × State.Status. Docker's own
 * restart policy shows as "restarting" and is waited for; "exited" means that
 * it will not act, so then it is ours to tell.
 */
#include <stdio.h>
#include <string.h>

#include "keeper.h"
#include "when.h"

static void
enter(struct keeper *k, enum phase phase, int64_t deadline_ms,
    int64_t look_at_ms)
{
	k->phase = phase;
	k->deadline_ms = deadline_ms;
	k->look_at_ms = look_at_ms;
}

void
keeper_init(struct keeper *k, int past_code, int64_t now_ms)
{
	*k = (struct keeper){ .find_ms = KEEPER_FIND_MS, .limit = -1,
	    .past_code = past_code };
	enter(k, PH_ENGINE, INT64_MAX, now_ms);
}

void
keeper_begin(struct keeper *k, int64_t now_ms)
{
	k->missed = 0;
	k->find_ms = KEEPER_FIND_MS;
	k->waited = false;
	k->started[0] = '\0';
	enter(k, PH_LOOK, INT64_MAX, now_ms);
}

bool
keeper_missed(struct keeper *k, int64_t now_ms)
{
	bool gone = k->phase != PH_ENGINE;

	if (gone && ++k->missed < 2) {
		k->look_at_ms = now_ms + KEEPER_AGAIN_MS;
		return false;
	}
	enter(k, PH_ENGINE, INT64_MAX, now_ms + k->find_ms);
	k->find_ms *= 2;
	if (k->find_ms > KEEPER_FIND_MAX_MS)
		k->find_ms = KEEPER_FIND_MAX_MS;
	return gone;
}

void
keeper_doubt(struct keeper *k, int64_t now_ms)
{
	if (k->phase != PH_UP)
		k->look_at_ms = now_ms;
}

void
keeper_event(struct keeper *k, const struct docker_event *e, int64_t now_ms)
{
	if (box_is_overdue(&k->box, e))
		(void)box_judge(&k->box, k->oom_flag);
	box_event(&k->box, e, now_ms);
	keeper_doubt(k, now_ms);
}

/* --- deaths */

/* The events of a death come after it: one from before the last is an older
 * death of the same container, and what belongs to it says nothing of the
 * last, whose own events are still to come. */
static void
drop_older(struct keeper *k, const struct docker_container *c)
{
	int64_t last_us = when_parse(c->finished);

	if (k->box.pending && c->exists && last_us > 0 &&
	    strcmp(c->id, k->box.die_id) == 0 &&
	    k->box.die_ns / 1000 < last_us)
		(void)box_judge(&k->box, false);
}

/* The verdict, also where the engine has told of no event. */
static void
judge(struct keeper *k)
{
	struct docker_event e = { .action = "die", .signo = 0,
	    .exit_code = k->exit_code, .time_ns = k->box.kill_ns };

	if (!k->box.pending) {
		if (e.time_ns < k->box.oom_ns)
			e.time_ns = k->box.oom_ns;
		(void)snprintf(e.name, sizeof e.name, "%s", k->box.name);
		(void)snprintf(e.id, sizeof e.id, "%s", k->box.id);
		box_event(&k->box, &e, 0);
	}
	/* The event's code may be a label's, and a label's only. */
	k->box.exit_code = k->exit_code;
	k->death = box_judge(&k->box, k->oom_flag);
	k->judged = true;
}

static void
note_death(struct keeper *k, const struct docker_container *c)
{
	if (c->exists) {
		k->exit_code = c->exit_code;
		k->limit = c->memory;
		k->oom_flag = c->oom;
	} else {
		k->exit_code = k->box.pending && k->box.exit_code >= 0 ?
		    k->box.exit_code : 1;
		k->oom_flag = false;
	}
}

/* How long to wait for what belongs to the death: a lost or late "oom", or
 * the "start" of a docker restart, which asks before it kills. */
static int64_t
patience(const struct keeper *k)
{
	bool by_order = k->box.kill_ns != 0;
	bool for_memory = k->oom_flag || k->box.oom_ns != 0;

	if (for_memory || (by_order && k->box.hard))
		return 0;
	return by_order || k->exit_code == 137 ? KEEPER_DEATH_MS : 0;
}

/* --- the cells of the table */

typedef enum step act(struct keeper *, const struct docker_container *,
    int64_t now_ms);

static enum step
wait_on(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	(void)c;
	k->look_at_ms = now_ms + KEEPER_SOON_MS;
	return STEP_WAIT;
}

/* Is the past death among the events that have come? */
static bool
is_explained(const struct keeper *k, const struct docker_container *c)
{
	return k->box.pending && k->box.exit_code == k->past_code &&
	    (!c->exists || strcmp(c->id, k->box.die_id) == 0);
}

static enum step
bring_up(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	bool explained;

	drop_older(k, c);
	explained = is_explained(k, c);
	if (k->past_code != 0 && !k->waited && !explained) {
		k->waited = true;
		k->look_at_ms = now_ms + KEEPER_EVIDENCE_MS;
		return STEP_WAIT;
	}
	/* The events may be lost; the mark is of the last run. */
	if (k->past_code != 0 && (explained ||
	    (c->oom && c->exit_code == k->past_code))) {
		if (!explained)
			box_forget(&k->box);
		note_death(k, c);
		judge(k);
	}
	k->past_code = 0;
	enter(k, PH_UP, INT64_MAX, INT64_MAX);
	k->story = STORY_PLAIN;
	return STEP_UP;
}

static enum step
dies(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	drop_older(k, c);
	note_death(k, c);
	if (k->phase != PH_DEAD)
		enter(k, PH_DEAD, now_ms + patience(k), INT64_MAX);
	else if (k->deadline_ms > now_ms + patience(k))
		k->deadline_ms = now_ms + patience(k);
	k->look_at_ms = INT64_MAX;
	return STEP_WAIT;
}

/* A container that Docker restarts again and again runs for moments only. */
static bool
is_proven(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	if (c->restarts < KEEPER_LOOP || k->phase == PH_RUN ||
	    now_ms - k->seen_ms >= KEEPER_PROOF_MS)
		return true;
	/* We have just come: it may have run for long. */
	if (k->phase == PH_LOOK && k->past_code == 0)
		return true;
	if (k->phase != PH_SETTLE)
		enter(k, PH_SETTLE, now_ms + KEEPER_DOCKER_MS, INT64_MAX);
	k->look_at_ms = k->seen_ms + KEEPER_PROOF_MS;
	return false;
}

/* Another run than the one that was followed: by whom? */
static void
take_run(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	bool first = k->started[0] == '\0';

	if (strcmp(k->started, c->started) == 0)
		return;
	(void)snprintf(k->started, sizeof k->started, "%s", c->started);
	k->seen_ms = now_ms;
	if (!first)
		k->story = c->restarts > k->restarts ? STORY_DOCKER :
		    STORY_OTHER;
	else if (k->phase == PH_LOOK)
		k->story = STORY_PLAIN;
	k->restarts = c->restarts;
	if (!first && k->box.pending)
		judge(k);
}

static enum step
runs(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	bool news = k->phase != PH_RUN || k->paused ||
	    strcmp(k->started, c->started) != 0;

	take_run(k, c, now_ms);
	if (!is_proven(k, c, now_ms))
		return STEP_WAIT;
	k->paused = false;
	enter(k, PH_RUN, INT64_MAX, now_ms + KEEPER_LOOK_MS);
	return news ? STEP_RUNNING : STEP_WAIT;
}

static enum step
restarts(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	enum phase before = k->phase;

	note_death(k, c);
	if (k->box.pending)
		judge(k);
	if (before != PH_SETTLE)
		enter(k, PH_SETTLE, now_ms + KEEPER_DOCKER_MS, INT64_MAX);
	k->look_at_ms = now_ms + KEEPER_SOON_MS;
	/* Not looked at before, it is a run that ended. */
	if (k->started[0] == '\0') {
		(void)snprintf(k->started, sizeof k->started, "%s",
		    c->started);
		k->restarts = c->restarts - 1;
	}
	return STEP_DOCKER;
}

static enum step
is_paused(struct keeper *k, const struct docker_container *c, int64_t now_ms)
{
	bool news = !k->paused;

	take_run(k, c, now_ms);
	k->paused = true;
	enter(k, PH_RUN, INT64_MAX, now_ms + KEEPER_LOOK_MS);
	return news ? STEP_RUNNING : STEP_WAIT;
}

static act *const table[][SEEN_COUNT] = {
	[PH_ENGINE] = { bring_up, bring_up, runs, restarts, is_paused,
	    wait_on },
	[PH_LOOK] = { bring_up, bring_up, runs, restarts, is_paused, wait_on },
	[PH_UP] = { wait_on, wait_on, wait_on, wait_on, wait_on, wait_on },
	[PH_SETTLE] = { dies, dies, runs, restarts, is_paused, wait_on },
	[PH_RUN] = { dies, dies, runs, restarts, is_paused, wait_on },
	[PH_DEAD] = { dies, dies, runs, restarts, is_paused, wait_on },
};

enum step
keeper_saw(struct keeper *k, const struct docker_container *c,
    int64_t now_ms)
{
	k->missed = 0;
	return table[k->phase][keeper_seen(c)](k, c, now_ms);
}

void
keeper_upped(struct keeper *k, int64_t now_ms)
{
	/* What came before is over; only this run counts. */
	k->started[0] = '\0';
	enter(k, PH_SETTLE, now_ms + KEEPER_UP_MS, now_ms);
}

enum step
keeper_due(struct keeper *k, int64_t now_ms)
{
	if (now_ms >= k->deadline_ms) {
		if (k->phase == PH_DEAD)
			judge(k);
		else if (k->exit_code == 0)
			k->exit_code = 1;	/* it never ran */
		k->deadline_ms = INT64_MAX;
		return STEP_EXIT;
	}
	if (now_ms < k->look_at_ms)
		return STEP_WAIT;
	k->look_at_ms = INT64_MAX;
	return k->phase == PH_ENGINE ? STEP_FIND : STEP_LOOK;
}

int64_t
keeper_deadline(const struct keeper *k)
{
	return k->look_at_ms < k->deadline_ms ? k->look_at_ms :
	    k->deadline_ms;
}
