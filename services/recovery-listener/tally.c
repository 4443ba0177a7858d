/* SPDX-License-Identifier: ISC */
/*
 * Counts faults and repairs. A fault begins with an end that nobody ordered,
 * or with failing health; it is over when the service is up again and, if
 * it was found by its health, well again.
 */
#include <stdio.h>
#include <string.h>

#include "tally.h"

#define TALLIES	1024

const int tally_bound_ms[TALLY_BOUNDS] = { 50, 100, 500, 1000, 5000, 15000,
	60000, 300000, 1800000 };

static struct tally tallies[TALLIES];
static int ntallies;

static struct tally *
find(const char *service, bool make)
{
	int i;

	for (i = 0; i < ntallies; i++)
		if (strcmp(tallies[i].name, service) == 0)
			return &tallies[i];
	if (!make || ntallies == TALLIES)
		return NULL;
	tallies[ntallies] = (struct tally){ .incidents = 0 };
	(void)snprintf(tallies[ntallies].name, sizeof tallies[0].name, "%s",
	    service);
	return &tallies[ntallies++];
}

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

const char *
tally_reason_name(enum tally_reason r)
{
	static const char *const names[TALLY_REASONS] = {
		[REASON_EXIT] = "exit", [REASON_SIGNAL] = "signal",
		[REASON_OOM] = "oom", [REASON_HEALTH] = "health",
		[REASON_ASKED] = "asked",
	};

	return names[r];
}

/* What ended a run, for the start that follows; an OOM kill may be told
 * before the end or after it. */
static void
take_end(struct tally *t, const struct tally_event *e)
{
	t->ended = is(e->want, "up");
	if (t->oom)
		t->reason = REASON_OOM;
	else if (is(e->state, "STOPPING"))
		t->reason = t->fault == FAULT_HEALTH ? REASON_HEALTH :
		    REASON_ASKED;
	else
		t->reason = strncmp(e->reason, "killed by", 9) == 0 ?
		    REASON_SIGNAL : REASON_EXIT;
}

static void
take_start(struct tally *t)
{
	if (t->ended)
		t->restarts[t->reason]++;
	t->ended = t->oom = false;
}

static void
take_oom(struct tally *t)
{
	t->ooms++;
	t->oom = !t->ended;
	if (t->ended)
		t->reason = REASON_OOM;
}

/* An end that was ordered comes while it is stopping; so does one that a
 * probe has led to, whose fault has begun with the health. */
static void
take_exit(struct tally *t, const struct tally_event *e)
{
	take_end(t, e);
	if (is(e->state, "STOPPING") || !is(e->want, "up") ||
	    is(e->reason, "exited with code 0"))
		return;
	if (strncmp(e->reason, "killed by", 9) == 0)
		t->signals++;
	else
		t->exits++;
	if (t->fault == FAULT_NONE) {
		t->fault = FAULT_EXIT;
		t->since_us = e->at_us;
	}
}

static void
take_health(struct tally *t, const struct tally_event *e)
{
	if (!is(e->health, "failing"))
		return;
	t->sick++;
	if (t->fault == FAULT_NONE)
		t->since_us = e->at_us;
	t->fault = FAULT_HEALTH;
}

static bool
is_well(const struct tally *t, const struct tally_event *e)
{
	if (!is(e->state, "UP") || is(e->health, "failing"))
		return false;
	return t->fault == FAULT_EXIT || !is(e->health, "unknown");
}

static void
take_repair(struct tally *t, int64_t us)
{
	int i;

	if (us < 0)	/* the clock was set */
		us = 0;
	for (i = 0; i < TALLY_BOUNDS; i++)
		if (us <= (int64_t)tally_bound_ms[i] * 1000)
			break;
	t->repair[i]++;
	t->repair_us += us;
}

void
tally_add(const struct tally_event *e)
{
	struct tally *t = find(e->service, true);

	if (t == NULL)
		return;
	if (is(e->event, "incident"))
		t->incidents++;
	else if (is(e->event, "oom"))
		take_oom(t);
	else if (is(e->event, "exit"))
		take_exit(t, e);
	else if (is(e->event, "health"))
		take_health(t, e);
	else if (is(e->event, "state") && is(e->state, "STARTING"))
		take_start(t);
	if (t->fault == FAULT_NONE)
		return;
	if (!is(e->want, "up")) {		/* it may stay down */
		t->fault = FAULT_NONE;
	} else if (!is(e->event, "exit") && is_well(t, e)) {
		take_repair(t, e->at_us - t->since_us);
		t->fault = FAULT_NONE;
	}
}

struct tally
tally_of(const char *service)
{
	const struct tally *t = find(service, false);

	return t != NULL ? *t : (struct tally){ .incidents = 0 };
}

void
tally_reset(void)
{
	ntallies = 0;
}
