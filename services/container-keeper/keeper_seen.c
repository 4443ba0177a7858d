/* SPDX-License-Identifier: ISC */
/*
 * What the engine's words for a container mean to the keeper.
 */
#include <string.h>

#include "buf.h"
#include "keeper.h"

static const struct {
	const char *status;
	enum seen seen;
} statuses[] = {
	{ "created",	SEEN_DOWN },
	{ "exited",	SEEN_DOWN },
	{ "dead",	SEEN_DOWN },
	{ "stopped",	SEEN_DOWN },		/* Podman */
	{ "configured",	SEEN_DOWN },		/* Podman */
	{ "initialized", SEEN_DOWN },		/* Podman */
	{ "running",	SEEN_RUNNING },
	{ "restarting",	SEEN_RESTARTING },
	{ "paused",	SEEN_PAUSED },
	{ "removing",	SEEN_CHANGING },
	{ "stopping",	SEEN_CHANGING },	/* Podman */
};

enum seen
keeper_seen(const struct docker_container *c)
{
	size_t i;

	if (!c->exists)
		return SEEN_NONE;
	for (i = 0; i < nitems(statuses); i++)
		if (strcmp(statuses[i].status, c->status) == 0)
			return statuses[i].seen;
	return SEEN_CHANGING;	/* a new word: look again */
}

const char *
keeper_health(const struct docker_container *c, const char **why)
{
	static const struct {
		const char *said, *health, *why;
	} words[] = {
		{ "healthy", "ok", "HEALTHCHECK: healthy" },
		{ "starting", "unknown", "HEALTHCHECK: starting" },
		{ "unhealthy", "failing", "HEALTHCHECK: unhealthy" },
	};
	size_t i;

	if (keeper_seen(c) == SEEN_PAUSED) {
		/* Not failing: nobody should mend what a person did. */
		*why = "paused from outside: docker unpause lets it go on";
		return "degraded";
	}
	for (i = 0; i < nitems(words); i++)
		if (strcmp(c->health, words[i].said) == 0) {
			*why = words[i].why;
			return words[i].health;
		}
	*why = "it has no HEALTHCHECK";
	return "unknown";
}
