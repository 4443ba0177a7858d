/* SPDX-License-Identifier: ISC */
/*
 * The steps of one branch. What is to be done is recover_plan.c's, by whom is
 * the supervisor's; here is the order, with its deadlines.
 */
#include <stdio.h>
#include <string.h>

#include "os.h"
#include "recover_branch.h"
#include "recover_tree.h"
#include "works.h"

#define ATTEMPTS	2	/* a silent server is asked twice */
#define AGAIN_MS	200	/* between two probes of one that comes up */
#define TCP_MS		50	/* a connect under way is looked at */
#define NO_RESTART	"[health] restart = no, so it is left alone"

static void
settle(struct branch *b)
{
	b->phase = PH_SETTLE;
	b->until_ms = 0;
}

/* It is reported to fail, and we cannot ask it. */
static void
believe(struct branch *b)
{
	char words[RECOVER_WORDS];

	(void)snprintf(b->why, sizeof b->why, "failing%s%s",
	    b->f.health_text[0] != '\0' ? ": " : "", b->f.health_text);
	if (b->conf != NULL && holder_is_foreign(b, words, sizeof words))
		branch_fail(b, words, "not restarted");
	else if (b->conf != NULL && !b->conf->health->restart)
		branch_fail(b, b->why, NO_RESTART);
	else
		b->phase = PH_RESTART;
}

void
branch_begin(struct run *run, struct branch *b, int64_t now_ms)
{
	b->deadline_ms = now_ms + run->limit_ms;
	b->probe.fd = -1;
	switch (plan_of(&b->f, branch_can_probe(b))) {
	case PLAN_SKIP:
		branch_finish(b, OUT_SKIPPED, "");
		break;
	case PLAN_LEAVE:
		branch_say(b, "%s, so it is left alone", !b->f.enabled ?
		    "disabled" : "not wanted up");
		branch_finish(b, OUT_LEFT, !b->f.enabled ? "disabled" :
		    "stopped");
		break;
	case PLAN_START:
		(void)snprintf(b->why, sizeof b->why, "%s%s%s", b->f.state,
		    b->f.reason[0] != '\0' ? ": " : "", b->f.reason);
		b->phase = PH_RESTART;
		break;
	case PLAN_PROBE:
		b->phase = PH_PROBE;
		branch_ask(b, now_ms);
		break;
	case PLAN_TRUST:
		if (strcmp(b->f.health, "unknown") == 0)
			branch_say(b, "up");
		else
			branch_say(b, "up, %s", b->f.health);
		branch_finish(b, OUT_HEALTHY, "");
		break;
	case PLAN_RESTART:
		believe(b);
		break;
	case PLAN_WAIT:
		branch_say(b, "%s%s%s", b->f.state, b->f.reason[0] != '\0' ?
		    ": " : "", b->f.reason);
		settle(b);
		break;
	case PLAN_ALARM:
		branch_say(b, "%s: %s; see svctl history %s", b->f.state,
		    b->f.reason, b->f.name);
		branch_finish(b, OUT_FAILED, b->f.state);
		break;
	}
}

void
branch_update(struct branch *b, const struct facts *f, bool whole)
{
	struct facts old = b->f;

	b->f = *f;
	if (whole)
		return;
	b->f.oneshot = old.oneshot;
	b->f.enabled = old.enabled;
	b->f.since_us = strcmp(old.state, f->state) == 0 ? old.since_us :
	    os_wall_us();
	memcpy(b->f.health_text, old.health_text, sizeof old.health_text);
	memcpy(b->f.text, old.text, sizeof old.text);
	if (strcmp(old.state, f->state) == 0 && f->reason[0] == '\0')
		memcpy(b->f.reason, old.reason, sizeof old.reason);
}

/* Silent, but its processes use the CPU: it works. */
static bool
is_at_work(const struct branch *b, int64_t now_ms)
{
	int64_t took = now_ms - b->began_ms;

	return took >= 100 && works(branch_cpu(b) - b->cpu_ms, took);
}

/* Others may ask deeper than we do: their word is waited for once more. */
static void
doubt(struct branch *b, int64_t now_ms)
{
	const struct conf_health *h = b->conf->health;

	if (strcmp(b->f.health, "failing") != 0) {
		branch_well(b);
		return;
	}
	b->phase = PH_DOUBT;
	b->until_ms = now_ms + h->interval_ms + h->timeout_ms;
}

/* The first probe of a service that is up has been answered, or not. */
static void
judge(struct branch *b, int64_t now_ms)
{
	char words[RECOVER_WORDS];

	if (b->probe.answer == ANSWER_DEAD && b->attempts < ATTEMPTS) {
		branch_ask(b, now_ms);
		return;
	}
	if (b->probe.answer == ANSWER_DEAD && is_at_work(b, now_ms)) {
		b->probe.answer = ANSWER_BUSY;
		(void)snprintf(b->probe.words, sizeof b->probe.words,
		    "silent, but at work");
	}
	if ((b->probe.answer != ANSWER_OK ||
	    strcmp(b->f.health, "failing") == 0) &&
	    holder_is_foreign(b, words, sizeof words)) {
		branch_fail(b, words, "not restarted");
		return;
	}
	(void)snprintf(b->why, sizeof b->why, "%s", b->probe.words);
	switch (plan_after(&b->f, b->conf->health, b->probe.answer,
	    os_wall_us())) {
	case STEP_HEALTHY:
		doubt(b, now_ms);
		break;
	case STEP_STARTING:
		branch_say(b, "%s; it is within its start-grace, so its "
		    "answer is waited for", b->why);
		b->phase = PH_ANSWER;
		b->until_ms = now_ms + AGAIN_MS;
		break;
	case STEP_RESTART:
		b->phase = PH_RESTART;
		break;
	case STEP_FORBIDDEN:
		branch_fail(b, b->why, NO_RESTART);
		break;
	case STEP_HOPELESS:
		branch_fail(b, b->why, "a restart would not mend that");
		break;
	}
}

static void
restart(struct branch *b)
{
	char err[CLIENT_ERR_LEN], reason[100];

	/* Somebody, such as the health monitor, was quicker. One that has
	 * died meanwhile and is held back is begun at once. */
	if (b->asked_pid > 0 && b->f.pid > 0 && b->f.pid != b->asked_pid) {
		branch_say(b, "%s; another process runs by now", b->why);
		b->old_pid = 0;
		settle(b);
		return;
	}
	branch_say(b, "%s; restarting it", b->why);
	b->old_pid = branch_is(b, "UP") ? b->f.pid : 0;
	b->restarted = true;
	(void)snprintf(reason, sizeof reason, "recover: %.80s", b->why);
	settle(b);
	if (tree_restart(b->f.name, reason, err) < 0)
		branch_fail(b, err, "not restarted");
}

static void
too_late(struct branch *b)
{
	const char *more = b->f.reason[0] != '\0' ? b->f.reason : b->f.text;
	char last[sizeof b->why];

	/* The answer before this one, when there is none to this yet. */
	(void)strlcpy(last, b->probe.words[0] != '\0' ? b->probe.words :
	    b->why, sizeof last);
	probe_cancel(&b->probe);
	if (b->phase == PH_ANSWER && branch_can_probe(b))
		(void)snprintf(b->why, sizeof b->why,
		    "up, but does not answer yet: %.110s", last);
	else if (b->phase == PH_ANSWER || b->phase == PH_DOUBT)
		(void)snprintf(b->why, sizeof b->why,
		    "up, but reported to fail: %.90s", b->f.health_text);
	else if (b->phase == PH_SETTLE)
		(void)snprintf(b->why, sizeof b->why, "still %s%s%.110s",
		    b->f.state, more[0] != '\0' ? ": " : "", more);
	branch_fail(b, b->why, "its time is up");
}

int64_t
branch_step(struct run *run, struct branch *b, int64_t now_ms)
{
	int64_t next = b->deadline_ms;

	probe_step(&b->probe, now_ms);
	if (b->phase == PH_PROBE && !probe_is_busy(&b->probe))
		judge(b, now_ms);
	if (b->phase == PH_RESTART) {
		/* What it led to is among the events: take them first. */
		restart(b);
		return b->phase == PH_DONE ? INT64_MAX : now_ms;
	}
	if (b->phase == PH_SETTLE)
		next = branch_settling(run, b, now_ms);
	if (b->phase == PH_ANSWER)
		next = branch_answering(b, now_ms);
	if (b->phase == PH_DOUBT)
		next = branch_doubting(b, now_ms);
	if (b->phase == PH_DONE)
		return INT64_MAX;
	if (now_ms >= b->deadline_ms) {
		too_late(b);
		return INT64_MAX;
	}
	if (b->probe.fd >= 0 && now_ms + TCP_MS < next)
		next = now_ms + TCP_MS;
	return next < b->deadline_ms ? next : b->deadline_ms;
}
