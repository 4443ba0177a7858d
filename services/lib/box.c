/* SPDX-License-Identifier: ISC */
/*
 * Deaths of containers: what belongs to one death, whose hand it was, and
 * whether the deaths are a loop. No clock, no socket: events and times come
 * in, verdicts go out. The words for them are in box_words.c.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "box.h"

#define KILLED		137	/* 128 + SIGKILL */
#define SECOND_NS	INT64_C(1000000000)
#define WINDOW_NS	(BOX_WINDOW_MS * INT64_C(1000000))
#define PERIOD_NS	(BOX_PERIOD_S * SECOND_NS)

enum is { NO, YES, ANY };

/* First match. The event is a fact of this run; the flag may be left from a
 * child's death long before, so a kill by somebody's order outweighs it. */
static const struct rule {
	enum is		 sigkill, oom_event, kill_event, oom_flag;
	enum death	 verdict;
} rules[] = {
	{ YES,	YES,	ANY,	ANY,	DEATH_OOM },
	{ NO,	YES,	NO,	ANY,	DEATH_CHILD },
	{ ANY,	ANY,	YES,	ANY,	DEATH_DELIBERATE },
	{ YES,	NO,	NO,	YES,	DEATH_OOM },
	{ YES,	NO,	NO,	NO,	DEATH_UNKNOWN },
	{ NO,	NO,	NO,	ANY,	DEATH_OTHER },
};

static bool
fits(enum is wanted, bool value)
{
	return wanted == ANY || (wanted == YES) == value;
}

enum death
death_judge(const struct evidence *ev)
{
	const struct rule *r;
	size_t i;

	for (i = 0; i < nitems(rules); i++) {
		r = &rules[i];
		if (fits(r->sigkill, ev->exit_code == KILLED) &&
		    fits(r->oom_event, ev->oom_event) &&
		    fits(r->kill_event, ev->kill_event) &&
		    fits(r->oom_flag, ev->oom_flag))
			return r->verdict;
	}
	return DEATH_OTHER;
}

static bool
is_near(int64_t a_ns, int64_t b_ns)
{
	int64_t d = a_ns - b_ns;

	return a_ns != 0 && d <= WINDOW_NS && d >= -WINDOW_NS;
}

static bool
is_death(const struct docker_event *e)
{
	/* The second is an older Podman's. */
	return strcmp(e->action, "die") == 0 || strcmp(e->action, "died") == 0;
}

/* A restart policy is quicker than our window: the start may come first. */
bool
box_is_overdue(const struct box *b, const struct docker_event *e)
{
	if (!b->pending)
		return false;
	return is_death(e) || (b->start_ns > b->die_ns &&
	    (strcmp(e->action, "oom") == 0 || strcmp(e->action, "kill") == 0));
}

/* A new life of the name: what was known of the run before does not count. */
static void
begin_run(struct box *b, const struct docker_event *e)
{
	b->start_ns = e->time_ns;
	if (b->pending)
		return;
	box_forget(b);
}

static void
begin_death(struct box *b, const struct docker_event *e, int64_t now_ms)
{
	int64_t age_ns = e->time_ns - b->start_ns;

	b->die_ns = e->time_ns;
	(void)snprintf(b->die_id, sizeof b->die_id, "%s", e->id);
	b->exit_code = e->exit_code;
	b->age_s = -1;
	if (b->start_ns != 0 && age_ns >= 0 && age_ns < 3600 * SECOND_NS)
		b->age_s = (int)(age_ns / SECOND_NS);
	b->pending = true;
	b->alone = false;
	b->deadline_ms = now_ms + BOX_WINDOW_MS;
	if (e->oom)
		b->oom_ns = e->time_ns;
}

static void
note_oom(struct box *b, const struct docker_event *e, int64_t now_ms)
{
	b->oom_ns = e->time_ns;
	if (b->pending || b->alone)
		return;
	b->alone = true;
	b->deadline_ms = now_ms + BOX_WINDOW_MS;
}

/* A stop signal and the death it leads to may lie a stop timeout apart; what
 * comes just before the death is the SIGKILL at its end. */
static void
note_kill(struct box *b, const struct docker_event *e)
{
	if (e->signo == SIGKILL)
		b->hard = !b->asked;
	else if (e->signo == SIGTERM || e->signo == SIGINT ||
	    e->signo == SIGQUIT || e->signo == 0)
		b->asked = true;
	if (e->signo == SIGKILL || e->signo == SIGTERM ||
	    e->signo == SIGINT || e->signo == SIGQUIT || e->signo == 0)
		b->kill_ns = e->time_ns;
}

static void
note_stop(struct box *b, const struct docker_event *e)
{
	b->kill_ns = e->time_ns;
	b->asked = true;
	b->hard = false;
}

void
box_event(struct box *b, const struct docker_event *e, int64_t now_ms)
{
	b->seen_ns = e->time_ns;
	(void)snprintf(b->name, sizeof b->name, "%s", e->name);
	(void)snprintf(b->id, sizeof b->id, "%s", e->id);
	if (strcmp(e->action, "start") == 0)
		begin_run(b, e);
	else if (strcmp(e->action, "oom") == 0)
		note_oom(b, e, now_ms);
	else if (strcmp(e->action, "kill") == 0)
		note_kill(b, e);
	else if (strcmp(e->action, "stop") == 0)
		note_stop(b, e);
	else if (is_death(e))
		begin_death(b, e, now_ms);
	/* What is known needs no more waiting. */
	if (b->pending && (is_near(b->oom_ns, b->die_ns) ||
	    is_near(b->kill_ns, b->die_ns)))
		b->deadline_ms = now_ms;
}

static void
count_death(struct box *b, enum death d)
{
	unsigned i = b->next;

	b->death[i].at_ns = b->die_ns;
	b->death[i].age_s = b->age_s;
	b->death[i].oom = d == DEATH_OOM || d == DEATH_CHILD;
	b->death[i].quick = d != DEATH_DELIBERATE && b->exit_code != 0 &&
	    b->death[i].age_s >= 0 && b->death[i].age_s <= BOX_QUICK_S;
	b->next = (i + 1) % BOX_DEATHS;
}

enum death
box_judge(struct box *b, bool oom_flag)
{
	struct evidence ev = { .exit_code = b->exit_code,
	    .oom_event = is_near(b->oom_ns, b->die_ns),
	    .kill_event = is_near(b->kill_ns, b->die_ns),
	    .oom_flag = oom_flag };
	enum death d = death_judge(&ev);

	count_death(b, d);
	b->pending = false;
	b->oom_ns = b->kill_ns = 0;
	return d;
}

void
box_forget(struct box *b)
{
	b->pending = b->asked = b->hard = false;
	b->oom_ns = b->kill_ns = 0;
}

void
box_outlived(struct box *b)
{
	unsigned i = b->next;

	b->death[i].at_ns = b->die_ns = b->oom_ns;
	b->death[i].age_s = b->age_s = -1;
	b->death[i].oom = true;
	b->death[i].quick = b->alone = false;
	b->next = (i + 1) % BOX_DEATHS;
	b->oom_ns = 0;
}

static bool
is_recent(const struct box *b, unsigned i)
{
	return b->death[i].at_ns != 0 &&
	    b->die_ns - b->death[i].at_ns < PERIOD_NS;
}

int
box_ooms(const struct box *b)
{
	unsigned i;
	int n = 0;

	for (i = 0; i < BOX_DEATHS; i++)
		if (is_recent(b, i) && b->death[i].oom)
			n++;
	return n;
}

bool
box_loop(struct box *b, struct loop *l)
{
	unsigned i, last = (b->next + BOX_DEATHS - 1) % BOX_DEATHS;

	*l = (struct loop){ .min_s = BOX_QUICK_S };
	for (i = 0; i < BOX_DEATHS; i++) {
		if (!is_recent(b, i) || !b->death[i].quick)
			continue;
		l->deaths++;
		l->ooms += b->death[i].oom;
		if (b->death[i].age_s < l->min_s)
			l->min_s = b->death[i].age_s;
		if (b->death[i].age_s > l->max_s)
			l->max_s = b->death[i].age_s;
	}
	if (l->deaths < BOX_LOOP || !b->death[last].quick ||
	    (b->loop_told_ns != 0 && b->die_ns - b->loop_told_ns < PERIOD_NS))
		return false;
	b->loop_told_ns = b->die_ns;
	return true;
}
