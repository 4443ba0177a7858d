/* SPDX-License-Identifier: ISC */
/*
 * The words of an event, and whether a person wants to see it in a list of
 * what happened. Pure.
 */
#include <string.h>

#include "feed.h"
#include "feed_words.h"

static const char *const always[] = { "incident", "oom", "straggler", "verb",
	"reload", "upgrade", "detach", "shutdown", "stop" };
static const char *const states[] = { "BACKOFF", "TRIPPED", "UNKNOWN" };
static const char *const healths[] = { "degraded", "failing" };
static const char *const ordered[] = { "stopped on request", "disabled",
	"restarted on request" };

static bool
is_among(const char *word, const char *const *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(list[i], word) == 0)
			return true;
	return false;
}

bool
incident_counts(const char *event, const char *state, const char *health,
    const char *reason)
{
	if (is_among(event, always, nitems(always)))
		return true;
	if (strcmp(event, "state") == 0)
		return is_among(state, states, nitems(states));
	if (strcmp(event, "health") == 0)
		return is_among(health, healths, nitems(healths));
	if (strcmp(event, "exit") == 0)
		return !is_among(reason, ordered, nitems(ordered)) &&
		    strcmp(reason, "exited with code 0") != 0;
	return false;
}

void
words_read(struct words *w, const struct json *j, int event)
{
	const struct {
		const char *name;
		char	*dst;
		size_t	 cap;
	} member[] = {
		{ "event", w->event, sizeof w->event },
		{ "service", w->service, sizeof w->service },
		{ "state", w->state, sizeof w->state },
		{ "want", w->want, sizeof w->want },
		{ "health", w->health, sizeof w->health },
		{ "reason", w->reason, sizeof w->reason },
		{ "at", w->at, sizeof w->at },
	};
	size_t i;

	for (i = 0; i < nitems(member); i++)
		(void)json_str(j, json_get(j, event, member[i].name),
		    member[i].dst, member[i].cap);
}

bool
words_count(const struct words *w)
{
	return incident_counts(w->event, w->state, w->health, w->reason);
}
