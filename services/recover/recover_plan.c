/* SPDX-License-Identifier: ISC */
/*
 * Who is to be left alone, who probed, who started: tables and a few rules.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "recover_plan.h"
#include "when.h"

static const struct {
	const char	*state;
	enum plan	 plan;
} plans[] = {
	{ "DOWN",	PLAN_START },
	{ "BACKOFF",	PLAN_START },
	{ "TRIPPED",	PLAN_START },
	{ "WAITING",	PLAN_WAIT },
	{ "STARTING",	PLAN_WAIT },
	{ "STOPPING",	PLAN_WAIT },
	{ "FINISHING",	PLAN_WAIT },
	{ "UNKNOWN",	PLAN_ALARM },
};

int
facts_read(struct facts *f, const struct json *j, int service)
{
	char time[40];
	bool enabled = true;

	memset(f, 0, sizeof *f);
	if (json_str(j, json_get(j, service, "name"), f->name,
	    sizeof f->name) < 0)
		return -1;
	(void)json_str(j, json_get(j, service, "want"), f->want,
	    sizeof f->want);
	(void)json_str(j, json_get(j, service, "state"), f->state,
	    sizeof f->state);
	(void)json_str(j, json_get(j, service, "health"), f->health,
	    sizeof f->health);
	(void)json_str(j, json_get(j, service, "reason"), f->reason,
	    sizeof f->reason);
	(void)json_str(j, json_get(j, service, "health_text"),
	    f->health_text, sizeof f->health_text);
	(void)json_str(j, json_get(j, service, "text"), f->text,
	    sizeof f->text);
	f->oneshot = json_is(j, json_get(j, service, "type"), "oneshot");
	(void)json_bool(j, json_get(j, service, "enabled"), &enabled);
	f->enabled = enabled;
	(void)json_int(j, json_get(j, service, "pid"), &f->pid);
	if (json_str(j, json_get(j, service, "since"), time,
	    sizeof time) == 0)
		f->since_us = when_parse(time);
	return 0;
}

int
facts_read_event(struct facts *f, const struct json *j, int event)
{
	memset(f, 0, sizeof *f);
	if (json_str(j, json_get(j, event, "service"), f->name,
	    sizeof f->name) < 0 || json_str(j, json_get(j, event, "state"),
	    f->state, sizeof f->state) < 0)
		return -1;
	(void)json_str(j, json_get(j, event, "want"), f->want,
	    sizeof f->want);
	(void)json_str(j, json_get(j, event, "health"), f->health,
	    sizeof f->health);
	(void)json_int(j, json_get(j, event, "pid"), &f->pid);
	if (json_is(j, json_get(j, event, "event"), "state"))
		(void)json_str(j, json_get(j, event, "reason"), f->reason,
		    sizeof f->reason);
	return 0;
}

enum plan
plan_of(const struct facts *f, bool can_probe)
{
	size_t i;

	if (f->oneshot)
		return PLAN_SKIP;
	if (!f->enabled || strcmp(f->want, "up") != 0)
		return PLAN_LEAVE;
	for (i = 0; i < nitems(plans); i++)
		if (strcmp(plans[i].state, f->state) == 0)
			return plans[i].plan;
	if (strcmp(f->state, "UP") != 0)
		return PLAN_ALARM;
	if (strcmp(f->health, "busy") == 0 ||
	    strcmp(f->health, "degraded") == 0)
		return PLAN_TRUST;
	if (can_probe)
		return PLAN_PROBE;
	return strcmp(f->health, "failing") == 0 ? PLAN_RESTART : PLAN_TRUST;
}

enum step
plan_after(const struct facts *f, const struct conf_health *h,
    enum answer answer, int64_t wall_us)
{
	switch (answer) {
	case ANSWER_WRONG:
		return STEP_HOPELESS;
	case ANSWER_NONE:
	case ANSWER_DEAD:
		break;
	case ANSWER_OK:
	case ANSWER_BUSY:
	case ANSWER_DEGRADED:
		return STEP_HEALTHY;
	}
	/* A server that loads a model is silent, too; not one that has been
	 * well in this run, of which somebody has told. */
	if (f->since_us != 0 && strcmp(f->health, "unknown") == 0 &&
	    wall_us - f->since_us < h->start_grace_ms * 1000)
		return STEP_STARTING;
	return h->restart ? STEP_RESTART : STEP_FORBIDDEN;
}

bool
plan_waits_for(const struct facts *f, char name[CONF_NAME_MAX + 1])
{
	static const char words[] = "waits for ";
	const char *s = f->reason + sizeof words - 1;
	size_t n;

	if (strcmp(f->state, "WAITING") != 0 ||
	    strncmp(f->reason, words, sizeof words - 1) != 0)
		return false;
	n = strcspn(s, " ;,");
	if (n == 0 || n > CONF_NAME_MAX)
		return false;
	memcpy(name, s, n);
	name[n] = '\0';
	return true;
}
