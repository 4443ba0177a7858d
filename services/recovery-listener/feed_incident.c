/* SPDX-License-Identifier: ISC */
/*
 * Which events a person wants to see in a list of what happened.
 */
#include <string.h>

#include "feed.h"

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
