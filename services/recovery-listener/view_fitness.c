/* SPDX-License-Identifier: ISC */
/*
 * What state and health mean for somebody who wants to use a service.
 */
#include <string.h>

#include "buf.h"
#include "view.h"

#define RETRY_SOON_S	2
#define RETRY_S		10

static const char *const names[] = {
	[FIT_OK] = "ok", [FIT_BUSY] = "busy", [FIT_DEGRADED] = "degraded",
	[FIT_STARTING] = "starting", [FIT_FAILING] = "failing",
	[FIT_DOWN] = "down", [FIT_STOPPED] = "stopped",
};

static const struct {
	const char	*word;
	enum fitness	 fitness;
} states[] = {
	{ "WAITING",	FIT_STARTING },
	{ "STARTING",	FIT_STARTING },
	{ "STOPPING",	FIT_DOWN },
	{ "FINISHING",	FIT_DOWN },
	{ "BACKOFF",	FIT_DOWN },
	{ "TRIPPED",	FIT_DOWN },
	{ "DOWN",	FIT_DOWN },
}, healths[] = {
	{ "ok",		FIT_OK },
	{ "unknown",	FIT_OK },	/* nobody will judge it */
	{ "busy",	FIT_BUSY },
	{ "degraded",	FIT_DEGRADED },
	{ "failing",	FIT_FAILING },
};

enum fitness
view_fitness(const struct seen *sv)
{
	size_t i;

	if (!sv->enabled || strcmp(sv->want, "down") == 0)
		return FIT_STOPPED;
	for (i = 0; i < nitems(states); i++)
		if (strcmp(states[i].word, sv->state) == 0)
			return states[i].fitness;
	if (strcmp(sv->state, "UP") != 0)
		return FIT_FAILING;
	/* Up by its process, but no probe has had an answer yet. */
	if (sv->probed && strcmp(sv->health, "unknown") == 0)
		return FIT_STARTING;
	for (i = 0; i < nitems(healths); i++)
		if (strcmp(healths[i].word, sv->health) == 0)
			return healths[i].fitness;
	return FIT_FAILING;
}

const char *
view_fitness_name(enum fitness f)
{
	return names[f];
}

int
view_retry_s(const struct seen *sv, int64_t now_us)
{
	enum fitness f = view_fitness(sv);

	if (f == FIT_STOPPED)
		return 0;
	if (f == FIT_STARTING)
		return RETRY_SOON_S;
	if (sv->next_us > now_us + RETRY_S * INT64_C(1000000))
		return (int)((sv->next_us - now_us) / 1000000);
	return RETRY_S;
}

bool
view_is_usable(enum fitness f)
{
	return f == FIT_OK || f == FIT_BUSY || f == FIT_DEGRADED;
}

bool
view_counts(const struct seen *sv)
{
	return sv->enabled && !sv->oneshot && strcmp(sv->want, "up") == 0;
}
