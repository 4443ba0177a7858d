/* SPDX-License-Identifier: ISC */
/*
 * The second half of a branch: on its way up, up again, answering. Here a
 * branch waits, for the supervisor's events or for a probe.
 */
#include <stdio.h>
#include <string.h>

#include "recover_branch.h"

#define AGAIN_MS	200	/* between two probes of one that comes up */
#define LAST_MS		1000	/* so long must one without a probe last */
#define PATIENCE_MS	3000	/* for one that falls at once, to come back */

/* A service that another must come before: over when that one is. */
static bool
waits_in_vain(const struct run *run, const struct branch *b, char *why,
    size_t cap)
{
	char name[CONF_NAME_MAX + 1];
	const struct branch *need;

	if (!plan_waits_for(&b->f, name))
		return false;
	for (need = run->branch; need < run->branch + run->n; need++)
		if (strcmp(need->f.name, name) == 0)
			break;
	if (need == run->branch + run->n || (need->outcome != OUT_FAILED &&
	    need->outcome != OUT_LEFT))
		return false;
	(void)snprintf(why, cap, "waits for %s, which is %.60s", name,
	    need->outcome == OUT_LEFT ? need->why : "not healthy");
	return true;
}

int64_t
branch_settling(struct run *run, struct branch *b, int64_t now_ms)
{
	char why[RECOVER_WORDS];

	if (branch_is(b, "UP") && (b->old_pid == 0 || b->f.pid != b->old_pid)) {
		b->phase = PH_ANSWER;
		b->until_ms = now_ms + LAST_MS;
		b->attempts = 0;
		return now_ms;
	}
	if (strcmp(b->f.want, "up") != 0) {
		/* The operator's word came later than the plan. */
		branch_say(b, "stopped meanwhile, so it is left alone");
		branch_finish(b, OUT_LEFT, "stopped meanwhile");
		return now_ms;
	}
	if (waits_in_vain(run, b, why, sizeof why)) {
		branch_fail(b, why, "it is started as soon as that changes");
		return now_ms;
	}
	if (!branch_is(b, "BACKOFF") && !branch_is(b, "TRIPPED")) {
		b->until_ms = 0;
		return b->deadline_ms;
	}
	if (b->until_ms == 0)
		b->until_ms = now_ms + PATIENCE_MS;
	if (now_ms >= b->until_ms || branch_is(b, "TRIPPED")) {
		(void)snprintf(b->why, sizeof b->why, "%s: %.120s",
		    b->f.state, b->f.reason);
		branch_fail(b, b->why, "the supervisor tries again by itself");
		return now_ms;
	}
	return b->until_ms;
}

static void
arrived(struct branch *b, const char *how)
{
	branch_say(b, "%s", how);
	branch_finish(b, b->restarted ? OUT_HEALED : OUT_HEALTHY, b->why);
}

int64_t
branch_answering(struct branch *b, int64_t now_ms)
{
	if (!branch_is(b, "UP")) {
		probe_cancel(&b->probe);
		b->phase = PH_SETTLE;
		b->until_ms = 0;
		return now_ms;
	}
	if (!branch_can_probe(b)) {
		if (now_ms < b->until_ms)
			return b->until_ms;
		if (strcmp(b->f.health, "failing") == 0)
			return b->deadline_ms;
		arrived(b, "up again");
		return now_ms;
	}
	if (probe_is_busy(&b->probe))
		return b->deadline_ms;
	if (b->attempts > 0 && b->probe.answer <= ANSWER_DEGRADED) {
		arrived(b, "answers again");
		return now_ms;
	}
	if (b->attempts > 0 && b->probe.answer == ANSWER_WRONG) {
		branch_fail(b, b->probe.words, "a restart does not mend that");
		return now_ms;
	}
	if (b->attempts > 0 && now_ms < b->until_ms)
		return b->until_ms;
	b->until_ms = now_ms + AGAIN_MS;
	branch_ask(b, now_ms);
	return b->deadline_ms;
}

int64_t
branch_doubting(struct branch *b, int64_t now_ms)
{
	char why[RECOVER_WORDS];

	if (!branch_is(b, "UP")) {	/* whoever reported it acts */
		b->phase = PH_SETTLE;
		b->until_ms = 0;
		return now_ms;
	}
	if (strcmp(b->f.health, "failing") != 0) {
		branch_well(b);
		return now_ms;
	}
	if (now_ms < b->until_ms)
		return b->until_ms;
	(void)snprintf(why, sizeof why, "answers, but is reported to fail%s"
	    "%.90s", b->f.health_text[0] != '\0' ? ": " : "",
	    b->f.health_text);
	branch_fail(b, why, "whoever reports that deals with it");
	return now_ms;
}
