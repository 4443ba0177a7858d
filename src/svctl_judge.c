/* SPDX-License-Identifier: ISC */
/*
 * Has a verb had its effect? One row a verb: what is asked of the status
 * before and now. Pure.
 */
#include <string.h>

#include "svctl.h"

static bool
gave_up(const struct sv *now)
{
	return ctl_is(now->state, "BACKOFF") || ctl_is(now->state, "TRIPPED");
}

static enum outcome
ran_once(const struct sv *before, const struct sv *now)
{
	if (gave_up(now))
		return FAILED;
	if (!ctl_is(now->state, "DOWN") ||
	    ctl_is(now->exit_at, before->exit_at))
		return GOES_ON;
	return now->exit_good ? DONE : FAILED;
}

/* Nobody wants it any more, and not because it ended well. */
static bool
was_stopped(const struct sv *before, const struct sv *now)
{
	return ctl_is(now->state, "DOWN") && ctl_is(now->want, "down") &&
	    (ctl_is(now->exit_at, before->exit_at) || !now->exit_good);
}

static enum outcome
came_up(const struct sv *before, const struct sv *now)
{
	if (ctl_is(now->type, "oneshot"))
		return ran_once(before, now);
	if (gave_up(now) || was_stopped(before, now))
		return FAILED;
	if (ctl_is(now->state, "DOWN") && ctl_is(now->want, "down"))
		return DONE;	/* it has done its work and ended well */
	return ctl_is_up(now) ? DONE : GOES_ON;
}

static enum outcome
came_back(const struct sv *before, const struct sv *now)
{
	if (ctl_is(now->type, "oneshot"))
		return ran_once(before, now);
	if (gave_up(now) || was_stopped(before, now))
		return FAILED;
	return ctl_is_up(now) && now->pid != before->pid ? DONE : GOES_ON;
}

static enum outcome
went_down(const struct sv *before, const struct sv *now)
{
	(void)before;
	return ctl_is(now->state, "DOWN") ? DONE : GOES_ON;
}

static enum outcome
is_enabled(const struct sv *before, const struct sv *now)
{
	return ctl_is(now->type, "oneshot") ? DONE : came_up(before, now);
}

static enum outcome
is_healthy(const struct sv *before, const struct sv *now)
{
	(void)before;
	return ctl_is_up(now) && ctl_is_healthy(now) ? DONE : GOES_ON;
}

static enum outcome
is_up(const struct sv *before, const struct sv *now)
{
	(void)before;
	return ctl_is_up(now) ? DONE : GOES_ON;
}

static const struct {
	const char *verb;
	int	 opt;		/* only with this option, -1 always */
	ctl_judge *judge;
	const char *word;
} judges[] = {
	{ "start", -1, came_up, "up" },
	{ "stop", -1, went_down, "down" },
	{ "restart", -1, came_back, "back up" },
	{ "once", -1, ran_once, "at its end" },
	{ "enable", -1, is_enabled, "up" },
	{ "disable", -1, went_down, "down" },
	{ "wait", OPT_DOWN, went_down, "down" },
	{ "wait", OPT_HEALTHY, is_healthy, "healthy" },
	{ "wait", -1, is_up, "up" },
};

static size_t
row_of(const char *verb, const struct ctl *c)
{
	size_t i;

	for (i = 0; i + 1 < nitems(judges); i++)
		if (ctl_is(judges[i].verb, verb) && (judges[i].opt < 0 ||
		    c->opt[judges[i].opt] != NULL))
			break;
	return i;
}

ctl_judge *
ctl_judge_of(const char *verb, const struct ctl *c)
{
	return judges[row_of(verb, c)].judge;
}

const char *
ctl_judge_word(const char *verb, const struct ctl *c)
{
	return judges[row_of(verb, c)].word;
}
