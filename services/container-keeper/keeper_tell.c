/* SPDX-License-Identifier: ISC */
/*
 * What the keeper says of its container, in words: to the supervisor, which
 * keeps about 70 bytes of a reason and 80 of a text, and to the log. Decides
 * nothing.
 */
#include <stdio.h>
#include <string.h>

#include "keeper_tell.h"
#include "log.h"
#include "self.h"

static struct {
	const char *name;
	bool	 probed;
	bool	 down;		/* failing was our own verdict */
	bool	 unhealthy;	/* by its HEALTHCHECK, and told */
	char	 last[160];	/* "was killed by order (docker kill)" */
} w;

void
keeper_tell_begin(const char *container, bool probed)
{
	w.name = container;
	w.probed = probed;
}

const char *
keeper_last_words(void)
{
	return w.last;
}

static void
tell_ours(const char *health, const char *why)
{
	w.down = true;
	self_health(health, why);
}

static void
is_down(const char *why)
{
	tell_ours("failing", why);
}

/* Takes the verdict on a death; its words, to be logged once. */
static const char *
take_death(struct keeper *k)
{
	static char what[200];
	char advice[120];
	const char *tail;

	if (!k->judged)
		return NULL;
	k->judged = false;
	death_words(k->death, &k->box, k->limit, what, sizeof what, advice,
	    sizeof advice);
	tail = strstr(what, w.name);
	tail = tail == NULL ? what : tail + strlen(w.name);
	(void)snprintf(w.last, sizeof w.last, "%s", tail + (*tail == ' '));
	log_info("%s%s%s", what, *advice != '\0' ? ": " : "", advice);
	return what;
}

void
keeper_tell_no_engine(const char *why)
{
	is_down(why);
	self_text("waits for the container engine");
}

static bool
was_for_memory(const struct keeper *k)
{
	return k->death == DEATH_OOM || k->death == DEATH_CHILD;
}

void
keeper_tell_up(struct keeper *k)
{
	const char *what = take_death(k);
	bool oom = was_for_memory(k);

	/* A stop is what a person's svctl stop does as well: no news. */
	if (what != NULL && (oom || k->death == DEATH_UNKNOWN ||
	    (k->death == DEATH_DELIBERATE && k->box.hard)))
		self_ended(oom, what);
	self_text("compose up%s%s", *w.last != '\0' ? "; before: it " : "",
	    w.last);
}

void
keeper_tell_up_failed(const char *why)
{
	log_warnx("compose: %s", why);
	is_down(why);
	self_text("compose: %s", why);
}

/* Each time that it becomes unhealthy; its reason has no room for it. */
static void
tell_unhealthy(const struct docker_container *c, const char *health)
{
	bool before = w.unhealthy;

	w.unhealthy = strcmp(health, "failing") == 0;
	if (w.unhealthy && !before && c->said[0] != '\0')
		self_incident("unhealthy; its HEALTHCHECK, inside the "
		    "container, printed: %s", c->said);
}

void
keeper_tell_health(const struct docker_container *c)
{
	const char *why, *health = keeper_health(c, &why);

	if (keeper_seen(c) == SEEN_PAUSED) {
		tell_ours(health, why);
		return;
	}
	if (w.probed && !w.down)
		return;
	self_health(w.probed ? "unknown" : health, w.probed ? "it runs" :
	    why);
	if (!w.probed)
		tell_unhealthy(c, health);
	w.down = false;
}

void
keeper_tell_running(struct keeper *k, const struct docker_container *c)
{
	const char *what = take_death(k);

	if (k->story == STORY_DOCKER)
		self_incident("restarted by Docker's own policy (%d): %s",
		    c->restarts, what != NULL ? what : w.last);
	else if (k->story == STORY_OTHER)
		self_incident("started again from outside: %s",
		    what != NULL ? what : w.last);
	k->story = STORY_PLAIN;
	if (*w.last != '\0')
		self_text("runs as %.12s; before: it %s", c->id, w.last);
	else
		self_text("runs as %.12s", c->id);
	keeper_tell_health(c);
}

void
keeper_tell_docker(struct keeper *k, const struct docker_container *c)
{
	char why[220];
	const char *what = take_death(k);

	if (c->restarts >= KEEPER_LOOP)
		(void)snprintf(why, sizeof why, "restarts in a loop (%d "
		    "times): %s", c->restarts, w.last);
	else
		(void)snprintf(why, sizeof why, "%s", what != NULL ? what :
		    "Docker restarts it");
	is_down(why);
	self_text("Docker's own policy restarts it (%d)", c->restarts);
}

void
keeper_tell_exit(struct keeper *k)
{
	const char *what = take_death(k);

	if (what == NULL)
		what = "it does not run";
	else if (was_for_memory(k))
		self_ends_by_oom(what);
	is_down(what);
}
