/* SPDX-License-Identifier: ISC */
/*
 * The rounds: begins them when they are due and the service runs, gathers
 * what they brought, has it judged and the verdict told. What is done about
 * it is health_remedy.c's. Every loop goes over all targets; there are tens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "log.h"
#include "os.h"
#include "when.h"

#define TRY_LOOK_MS	20	/* between looks at a connect */
#define ANSWER_MS	500	/* libcurl's own timeouts are not that late */

void
watch_up(struct target *t, pid_t pid, int64_t age_ms)
{
	int64_t now = os_now_ms();

	if (t->up && t->pid == pid)
		return;
	watch_down(t);
	t->restart_ms = 0;
	t->up = true;
	t->pid = pid;
	t->history = (struct history){ .up_ms = now - age_ms };
	t->told = VERDICT_UNKNOWN;	/* the supervisor has cleared it */
	t->untold = false;
	t->told_text[0] = '\0';
	t->adopted = 0;
	ladder_started(&t->ladder, false);
	t->next_ms = now;
	t->deep_ms = 0;
	t->deep_seen[0] = '\0';
	t->evidence[0] = '\0';
	t->cpu_at_ms = 0;
	log_begin(t);
}

void
watch_free(struct target *t)
{
	if (t->told != VERDICT_FOREIGN)
		return;
	t->told = VERDICT_UNKNOWN;
	t->told_text[0] = '\0';
	t->next_ms = os_now_ms();
	t->history = (struct history){ .up_ms = t->next_ms };
}

static void
void_round(struct target *t)
{
	ask_cancel(t);
	try_cancel(t);
	t->running = false;
}

void
watch_down(struct target *t)
{
	void_round(t);
	t->up = false;
	t->pid = 0;
}

void
watch_lost(int64_t lost_ms, int64_t now_ms)
{
	struct target *t;
	int i;

	(void)lost_ms;
	for (i = 0; i < targets_count(); i++) {
		t = targets_get(i);
		void_round(t);
		t->history.fails = t->history.sched_fails =
		    t->history.deep_fails = 0;
		t->history.quiet_ms = now_ms + t->conf->health->wake_grace_ms;
		t->next_ms = now_ms;
		/* Sleep breaks what only computing shows. */
		if (t->deep_ms > t->history.quiet_ms)
			t->deep_ms = t->history.quiet_ms;
		t->deep_seen[0] = '\0';
	}
}

/* --- rounds */

static void
begin_round(struct target *t, int64_t now_ms)
{
	t->round = (struct round){ .now_ms = now_ms };
	t->running = true;
	t->pending = 0;
	t->begun_ms = now_ms;
	if (t->server == SERVER_TCP)
		try_connect(t, now_ms);
	else if (t->server == SERVER_EXEC)
		try_command(t, now_ms);
	else
		ask_round(t, now_ms);
}

/* Who has the port serves in our place; behind it, ours begins to start. */
static void
look_adopted(struct target *t, struct round *r, int64_t now_ms)
{
	bool before = t->adopted != 0;

	r->adopted = r->foreign;
	r->foreign = false;
	t->adopted = !r->adopted ? 0 : r->holder_pid > 0 ?
	    (pid_t)r->holder_pid : -1;
	if (!before || r->adopted)
		return;
	t->history = (struct history){ .up_ms = now_ms,
	    .quiet_ms = t->history.quiet_ms };
	/* An answer by nobody was its last: the next may be the first. */
	if (!r->ours && (r->probe[LAYER_READY].status != 0 ||
	    r->probe[LAYER_LIVE].status != 0))
		t->adopted = -1;
}

static void
look_around(struct target *t, struct round *r, int64_t now_ms)
{
	r->now_ms = now_ms;
	(void)memcpy(r->user, t->user, sizeof r->user);
	if (verdict_wants_holder(&t->history, r) || t->adopted != 0)
		holder_look(t, r);
	if (t->conf->port.policy == PORT_ADOPT)
		look_adopted(t, r, now_ms);
	if (verdict_wants_usage(r))
		r->works = holder_works(t, now_ms);
	else
		t->cpu_at_ms = 0;
	if (r->probe[LAYER_SCHED].out != OUT_OK &&
	    r->probe[LAYER_SCHED].out != OUT_DEGRADED)
		return;
	r->idle = t->models.nloaded == 0;
	if (t->deep_seen[0] == '?' && t->begun_ms >= t->deep_end_ms)
		(void)memcpy(t->deep_seen, t->models.expires,
		    sizeof t->deep_seen);
}

static bool
is_well(enum verdict v)
{
	return v == VERDICT_READY || v == VERDICT_BUSY ||
	    v == VERDICT_DEGRADED;
}

static void
judge(struct target *t, struct round *r, struct judgement *j, int64_t now_ms)
{
	verdict_judge(&t->rules, &t->history, r, j);
	if (r->adopted)
		j->remedy = REMEDY_NONE;
	if (t->fault_ms == 0 && (j->again || !is_well(j->verdict)))
		t->fault_ms = t->begun_ms;
	tell_verdict(t, j, now_ms);
	remedy_advise(t, j, r);
	if (is_well(j->verdict)) {
		t->repair_ms = 0;
		if (t->cause[0] != '\0')
			tell_healed(t, now_ms);
		if (!j->again)
			t->fault_ms = 0;
	}
	remedy_take(t, j, now_ms);
}

/* What its log says is told once in a window. Does it compute? */
static void
take_words(struct target *t, int64_t now_ms)
{
	char incident[SAID_MAX + 24];

	if (t->round.said_bad > 0 && t->conf->health->deep_ms > 0 &&
	    t->history.ready_ms != 0) {
		t->deep_ms = now_ms;
		t->deep_said = true;
	}
	if (t->log.told_ms != 0 && now_ms - t->log.told_ms < SAID_WINDOW_MS)
		return;
	t->log.told_ms = now_ms;
	(void)snprintf(incident, sizeof incident, "its log says: %s",
	    t->round.said);
	tell_text(t, NULL, incident);
}

static void
end_round(struct target *t, int64_t now_ms)
{
	struct pace pace = { t->conf->health->interval_ms,
	    t->rules.timeout_ms, arc4random() };
	struct judgement j;

	t->running = false;
	if (ask_other_path(t)) {
		begin_round(t, now_ms);
		return;
	}
	latency_note(t, &t->round);
	look_around(t, &t->round, now_ms);
	log_look(t, &t->round);
	if (t->round.said_bad > 0 || t->round.said_warn > 0)
		take_words(t, now_ms);
	t->round.deep_due = t->deep_said;
	judge(t, &t->round, &j, now_ms);
	t->next_ms = plan_next(&pace, &t->history, j.again, t->begun_ms,
	    now_ms);
}

/* --- the deep probe */

/* Our own request has pushed the time at which an idle model is unloaded. As
 * long as nobody else pushes it, no further one is made: it may expire. A
 * request that hangs pushes nothing: then the model outlives its time. */
static bool
may_push(const struct target *t)
{
	if (t->server != SERVER_OLLAMA || t->deep_seen[0] == '\0')
		return true;
	if (plan_may_push(when_parse(t->models.expires), os_wall_us()))
		return true;
	return t->deep_seen[0] != '?' &&
	    strcmp(t->deep_seen, t->models.expires) != 0;
}

/* Not of a busy server: it waits for the first round that finds it idle. */
static bool
may_ask_deep(const struct target *t)
{
	return t->conf->health->deep_ms > 0 && !t->deep_running &&
	    t->history.ready_ms != 0 && t->history.verdict != VERDICT_BUSY;
}

static void
step_deep(struct target *t, int64_t now_ms)
{
	int64_t every = t->conf->health->deep_ms;
	struct judgement j;

	if (t->deep_running && t->deep_done) {
		t->deep_running = t->deep_done = false;
		latency_note(t, &t->deep_round);
		look_around(t, &t->deep_round, now_ms);
		t->deep_ms = now_ms + every;
		/* Having unloaded a model, it wants to ask sooner. */
		judge(t, &t->deep_round, &j, now_ms);
		if (j.again)
			t->deep_ms = now_ms;
		t->deep_said = j.again && t->history.deep_fails > 0;
		t->deep_end_ms = now_ms;
		/* What the next round sees as time of expiry is our doing. */
		(void)snprintf(t->deep_seen, sizeof t->deep_seen, "%s",
		    t->deep_round.probe[LAYER_DEEP].out == OUT_OK ? "?" : "");
		return;
	}
	if (!may_ask_deep(t) || now_ms < t->deep_ms)
		return;
	t->deep_ms = now_ms + every;
	if ((t->deep_said || may_push(t)) && ask_deep(t, now_ms) == 0)
		t->deep_running = true;
	else
		t->deep_said = false;
}

/* --- the loop over all */

static void
step(struct target *t, int64_t now_ms)
{
	if (t->running)
		try_look(t, now_ms);
	if (t->running && t->pending == 0)
		end_round(t, now_ms);
	if (!t->running && t->next_ms <= now_ms)
		begin_round(t, now_ms);
	step_deep(t, now_ms);
	if (t->restart_ms != 0 && t->restart_ms <= now_ms)
		remedy_restart(t, now_ms);
}

/* When something is due without anybody's doing. */
static int64_t
due(const struct target *t, int64_t now_ms)
{
	int64_t next = INT64_MAX;

	if (!t->running)
		next = t->next_ms;
	else if (t->pending == 0)
		next = now_ms;
	else if (t->try.pid > 0)
		next = t->try.deadline_ms;
	else if (t->try.fd >= 0)
		next = now_ms + TRY_LOOK_MS;
	else	/* the answer comes by then: how we see that we were late */
		next = t->begun_ms + t->rules.timeout_ms + ANSWER_MS;
	if (may_ask_deep(t) && t->deep_ms < next)
		next = t->deep_ms;
	if (t->restart_ms != 0 && t->restart_ms < next)
		next = t->restart_ms;
	return next;
}

int64_t
watch_step(int64_t now_ms)
{
	int64_t next = INT64_MAX, at;
	struct target *t;
	int i;

	for (i = 0; i < targets_count(); i++) {
		t = targets_get(i);
		if (!t->up)
			continue;
		step(t, now_ms);
		at = due(t, now_ms);
		if (at < next)
			next = at;
	}
	return next;
}

int
watch_fds(int *fd, int max)
{
	int i, n = 0;

	for (i = 0; i < targets_count() && n < max; i++)
		if (targets_get(i)->try.pid > 0 && targets_get(i)->try.fd >= 0)
			fd[n++] = targets_get(i)->try.fd;
	return n;
}
