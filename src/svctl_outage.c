/* SPDX-License-Identifier: ISC */
/*
 * Outages from events: see the header.
 */
#include <stdlib.h>
#include <string.h>

#include "svctl_outage.h"

#define EVIDENCE_US	INT64_C(10000000)	/* comes that late */
#define STABLE_US	INT64_C(10000000)	/* before that it is not back */

struct outage_service *
outages_find(struct outages *o, const char *name)
{
	int i;

	for (i = 0; i < o->ns; i++)
		if (ctl_is(o->service[i].name, name))
			return &o->service[i];
	return NULL;
}

static struct outage_service *
add_service(struct outages *o, const char *name)
{
	struct outage_service *grown, *s = outages_find(o, name);

	if (s != NULL)
		return s;
	if (o->ns == o->roomy) {
		grown = realloc(o->service, (size_t)(o->roomy * 2 + 32) *
		    sizeof *grown);
		if (grown == NULL)
			return NULL;
		o->service = grown;
		o->roomy = o->roomy * 2 + 32;
	}
	s = &o->service[o->ns++];
	memset(s, 0, sizeof *s);
	(void)strlcpy(s->name, name, sizeof s->name);
	s->open = s->last = -1;
	return s;
}

/* What ends again at once was not repaired: the same outage goes on. */
static bool
reopen(struct outages *o, struct outage_service *s, int64_t at_us)
{
	struct outage *last = s->last >= 0 ? &o->outage[s->last] : NULL;

	if (last == NULL || last->end != END_BACK ||
	    at_us - last->to_us >= STABLE_US)
		return false;
	last->to_us = 0;
	last->end = END_OPEN;
	last->times++;
	s->open = s->last;
	return true;
}

static int
begin(struct outages *o, struct outage_service *s, int64_t at_us,
    const char *reason)
{
	struct outage *grown;

	if (o->n == o->room) {
		grown = realloc(o->outage, (size_t)(o->room * 2 + 32) *
		    sizeof *grown);
		if (grown == NULL)
			return -1;
		o->outage = grown;
		o->room = o->room * 2 + 32;
	}
	s->open = s->last = o->n;
	grown = &o->outage[o->n++];
	memset(grown, 0, sizeof *grown);
	(void)strlcpy(grown->service, s->name, sizeof grown->service);
	(void)strlcpy(grown->reason, reason, sizeof grown->reason);
	grown->from_us = at_us;
	grown->times = 1;
	return 0;
}

static void
finish(struct outages *o, struct outage_service *s, int64_t at_us,
    enum outage_end end)
{
	if (s->open < 0)
		return;
	o->outage[s->open].to_us = at_us;
	o->outage[s->open].end = end;
	s->open = -1;
}

/* The time since the last event, in the state that it left. */
static void
count(const struct outages *o, struct outage_service *s, int64_t now_us)
{
	int64_t from = s->at_us > o->since_us ? s->at_us : o->since_us;

	if (!s->known || s->gap || now_us <= from)
		return;
	if (s->wanted)
		s->wanted_us += now_us - from;
	if (s->wanted && s->good)
		s->good_us += now_us - from;
}

static bool
gave_up(const struct event *e)
{
	return ctl_is(e->state, "BACKOFF") || ctl_is(e->state, "TRIPPED");
}

/* What another program found out belongs to the outage that it is about,
 * else it stands for itself. */
static int
take_evidence(struct outages *o, struct outage_service *s,
    const struct event *e, int64_t at_us)
{
	struct outage *last = s->last >= 0 ? &o->outage[s->last] : NULL;
	char reason[sizeof last->reason];

	if (last == NULL || (last->to_us != 0 &&
	    at_us - last->to_us > EVIDENCE_US)) {
		if (begin(o, s, at_us, e->reason) < 0)
			return -1;
		finish(o, s, at_us, END_NOTED);
		return 0;
	}
	if (strstr(last->reason, e->reason) != NULL)
		return 0;
	(void)snprintf(reason, sizeof reason, "%.120s; %.120s", e->reason,
	    last->reason);
	(void)strlcpy(last->reason, reason, sizeof last->reason);
	return 0;
}

static int
take_exit(struct outages *o, struct outage_service *s, const struct event *e,
    int64_t at_us)
{
	if (ctl_is(e->state, "STOPPING") || ctl_is(e->state, "FINISHING"))
		return 0;	/* it was told to */
	s->exit_us = at_us;
	(void)strlcpy(s->exit_reason, e->reason, sizeof s->exit_reason);
	if (!ctl_is(e->want, "once") || s->open >= 0 ||
	    ctl_is(e->reason, "exited with code 0"))
		return 0;
	/* A oneshot has no state "back": its failure is a moment. */
	if (begin(o, s, at_us, e->reason) < 0)
		return -1;
	finish(o, s, at_us, END_FAILED);
	s->exit_us = 0;
	return 0;
}

/* From the state that it was in to the one that it is in now. */
static int
move(struct outages *o, struct outage_service *s, const struct event *e,
    int64_t at_us)
{
	bool was_good = s->known && s->good && s->wanted;
	const char *why = s->exit_us != 0 ? s->exit_reason : e->reason;
	int64_t from = s->exit_us != 0 ? s->exit_us : at_us;

	s->wanted = ctl_is(e->want, "up");
	s->good = ctl_is(e->state, "UP") && !ctl_is(e->health, "failing");
	if (s->open >= 0) {
		if (s->good && s->wanted)
			finish(o, s, at_us, END_BACK);
		else if (ctl_is(e->want, "down"))
			finish(o, s, at_us, END_STOPPED);
	} else if (s->wanted && !s->good && ((was_good && !s->planned) ||
	    gave_up(e))) {
		if (!reopen(o, s, from) && begin(o, s, from, why) < 0)
			return -1;
	}
	if (!ctl_is(e->event, "state"))
		return 0;
	if (s->good || gave_up(e))
		s->planned = false;
	s->exit_us = 0;
	return 0;
}

/* Another supervisor: nobody saw what happened in between. */
static void
take_reset(struct outages *o, const struct event *e)
{
	int i;

	if (e->seq > o->seq) {
		o->seq = e->seq;
		return;
	}
	o->seq = e->seq;
	for (i = 0; i < o->ns; i++) {
		o->service[i].gap = true;
		o->service[i].planned = false;
		o->service[i].exit_us = 0;
	}
}

static void
take_tree(struct outages *o, const struct event *e)
{
	int i;

	if (ctl_is(e->event, "shutdown"))
		for (i = 0; i < o->ns; i++)
			o->service[i].planned = true;
}

int
outages_take(struct outages *o, const struct event *e)
{
	int64_t at_us = ctl_time_us(e->at);
	struct outage_service *s;
	int rc = 0;

	if (at_us < 0)
		return 0;
	take_reset(o, e);
	if (o->first_us == 0)
		o->first_us = at_us;
	o->last_us = at_us;
	if (e->service[0] == '\0') {
		take_tree(o, e);
		return 0;
	}
	if ((s = add_service(o, e->service)) == NULL)
		return -1;
	if (ctl_is(e->event, "adopted"))
		s->gap = false;	/* it has lived on as it was */
	count(o, s, at_us);
	s->gap = false;
	s->known = true;
	s->at_us = at_us;
	if (ctl_is(e->event, "verb"))
		s->planned = true;
	else if (ctl_is(e->event, "exit"))
		rc = take_exit(o, s, e, at_us);
	else if (ctl_is(e->event, "incident") || ctl_is(e->event, "oom"))
		rc = take_evidence(o, s, e, at_us);
	return rc < 0 ? rc : move(o, s, e, at_us);
}

void
outages_end(struct outages *o, int64_t now_us)
{
	struct outage_service *s;
	int64_t lasted;
	int i;

	for (i = 0; i < o->ns; i++) {
		count(o, &o->service[i], now_us);
		o->service[i].at_us = now_us;
	}
	for (i = 0; i < o->n; i++) {
		if (o->outage[i].from_us < o->since_us ||
		    (s = outages_find(o, o->outage[i].service)) == NULL)
			continue;
		s->n++;
		if (o->outage[i].end != END_BACK)
			continue;
		lasted = o->outage[i].to_us - o->outage[i].from_us;
		s->back++;
		s->repair_us += lasted;
		if (lasted > s->longest_us)
			s->longest_us = lasted;
	}
}

void
outages_free(struct outages *o)
{
	free(o->service);
	free(o->outage);
	memset(o, 0, sizeof *o);
}

int64_t
outages_available(const struct outage_service *s)
{
	if (s->wanted_us <= 0)
		return -1;
	return s->good_us / 1000 * 100000 / (s->wanted_us / 1000 > 0 ?
	    s->wanted_us / 1000 : 1);
}
