/* SPDX-License-Identifier: ISC */
/*
 * What a status means for a person: what holds it up, what comes next, what
 * to type. Pure, but for the time of day in "in 3 s".
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

bool
ctl_is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool
ctl_is_up(const struct sv *sv)
{
	return ctl_is(sv->state, "UP");
}

bool
ctl_is_healthy(const struct sv *sv)
{
	return ctl_is(sv->health, "ok") || ctl_is(sv->health, "busy");
}

const struct sv *
ctl_find(const struct list *l, const char *name)
{
	int i;

	for (i = 0; i < l->n; i++)
		if (ctl_is(l->sv[i].name, name))
			return &l->sv[i];
	return NULL;
}

/* The supervisor's own rule (needs.c), from the outside. */
static bool
is_met(const struct sv *other, bool healthy)
{
	if (ctl_is(other->type, "oneshot"))
		return ctl_is(other->state, "DOWN") && other->exit_good;
	return ctl_is_up(other) && (!healthy || ctl_is_healthy(other));
}

const struct sv *
ctl_unmet(const struct list *l, const struct sv *sv, bool *healthy)
{
	char words[sizeof sv->needs], *p = words, *word, *colon;
	const struct sv *other;

	(void)snprintf(words, sizeof words, "%s", sv->needs);
	while ((word = strsep(&p, " ")) != NULL) {
		if ((colon = strchr(word, ':')) != NULL)
			*colon = '\0';
		*healthy = colon != NULL;
		other = ctl_find(l, word);
		if (other != NULL && !is_met(other, *healthy))
			return other;
	}
	return NULL;
}

/* with: "%s" is the time until next_at; without: it has none. */
static const struct {
	const char *state, *with, *without;
} steps[] = {
	{ "WAITING", NULL, "started as soon as that is there" },
	{ "STARTING", "stopped as a failure in %s if not ready by then",
	    "UP when it says that it is ready" },
	{ "STOPPING", "a harder signal in %s", "DOWN when it has ended" },
	{ "FINISHING", "the rest of its group is killed in %s",
	    "DOWN when its group is empty" },
	{ "BACKOFF", "started again in %s", "started again at once" },
	{ "TRIPPED", "tried again in %s", "not tried again by itself" },
	{ "UNKNOWN", "looked for again in %s",
	    "taken over when the holder of its lock is found" },
	{ "DOWN", "runs again in %s", "" },
};

void
ctl_next_step(char *dst, size_t cap, const struct sv *sv)
{
	const char *at;
	char in[32];
	size_t i;

	dst[0] = '\0';
	for (i = 0; i < nitems(steps); i++)
		if (ctl_is(steps[i].state, sv->state))
			break;
	if (i == nitems(steps))
		return;
	if (sv->next_at[0] == '\0' || steps[i].with == NULL) {
		(void)snprintf(dst, cap, "%s", steps[i].without);
		return;
	}
	ctl_ago(in, sizeof in, sv->next_at);
	at = strstr(steps[i].with, "%s");
	(void)snprintf(dst, cap, "%.*s%s%s", (int)(at - steps[i].with),
	    steps[i].with, in, at + 2);
}

/* The next step is worth a place in the table in these states. */
static bool
is_held(const struct sv *sv)
{
	return ctl_is(sv->state, "BACKOFF") || ctl_is(sv->state, "TRIPPED") ||
	    (ctl_is(sv->state, "DOWN") && sv->next_at[0] != '\0');
}

static void
append(char *dst, size_t cap, const char *text)
{
	if (text[0] == '\0')
		return;
	if (dst[0] != '\0')
		(void)strlcat(dst, "; ", cap);
	(void)strlcat(dst, text, cap);
}

void
ctl_story(char *dst, size_t cap, const struct sv *sv)
{
	char next[128];

	dst[0] = '\0';
	if (!sv->enabled && !ctl_is(sv->reason, "disabled"))
		append(dst, cap, "disabled");
	if (sv->stale)
		append(dst, cap, "runs by an old definition");
	if (sv->paused)
		append(dst, cap, "paused");
	if (ctl_is_up(sv)) {
		if (!ctl_is(sv->health, "ok"))
			append(dst, cap, sv->health_text);
		append(dst, cap, sv->text);
		return;
	}
	append(dst, cap, sv->reason);
	ctl_next_step(next, sizeof next, sv);
	if (is_held(sv))
		append(dst, cap, next);
}

static const struct {
	const char *state, *words;
} advice[] = {
	{ "TRIPPED", "mend the cause, then: svctl start" },
	{ "BACKOFF", "see why: svctl logs" },
	{ "UNKNOWN", "see what happened: svctl history" },
	{ "STARTING", "see what it says: svctl logs -f" },
	{ "STOPPING", "not to wait: svctl signal KILL" },
};

void
ctl_advice(char *dst, size_t cap, const struct sv *sv)
{
	size_t i;

	dst[0] = '\0';
	if (!sv->enabled) {
		(void)snprintf(dst, cap, "to have it back: svctl enable %s",
		    sv->name);
		return;
	}
	if (sv->stale)
		(void)snprintf(dst, cap, "to run by the new definition: "
		    "svctl restart %s", sv->name);
	for (i = 0; i < nitems(advice); i++)
		if (ctl_is(advice[i].state, sv->state))
			(void)snprintf(dst, cap, "%s %s", advice[i].words,
			    sv->name);
	if (ctl_is(sv->state, "DOWN") && ctl_is(sv->want, "down") &&
	    ctl_is(sv->type, "daemon"))
		(void)snprintf(dst, cap, "to have it up: svctl start %s",
		    sv->name);
	if (ctl_is_up(sv) && ctl_is(sv->health, "failing"))
		(void)snprintf(dst, cap, "see what it says: svctl logs %s",
		    sv->name);
}
