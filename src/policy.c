/* SPDX-License-Identifier: ISC */
/*
 * The restart policy: counters in, verdict out. No clock, no process.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "buf.h"
#include "policy.h"

static const int64_t trip_ms[] = { 5 * 60000, 15 * 60000, 60 * 60000 };

int64_t
policy_sooner(int64_t a, int64_t b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

static bool
holds_at_once(const struct conf_service *conf, const struct record *r)
{
	int i;

	if (r->hold)
		return true;
	if (r->exit_kind != EXIT_CODE)
		return false;
	for (i = 0; i < conf->no_restart.n; i++)
		if (atoi(conf->no_restart.v[i]) == r->exit_value)
			return true;
	return false;
}

bool
policy_is_success(const struct conf_service *conf, const struct record *r)
{
	int i;

	if (r->exit_kind != EXIT_CODE)
		return false;
	for (i = 0; i < conf->success.n; i++)
		if (atoi(conf->success.v[i]) == r->exit_value)
			return true;
	return r->exit_value == 0;
}

bool
policy_is_failure(const struct record *r)
{
	return r->want != WANT_DOWN && r->again != AGAIN_ASKED &&
	    (!r->clean || r->again == AGAIN_COUNTED);
}

/* Counts this failure in the window; true when it is one too many. */
static bool
over_limit(const struct conf_service *conf, struct record *r, int64_t now_ms)
{
	if (r->window_ms == 0 ||
	    now_ms - r->window_ms > conf->restart_window_ms) {
		r->window_ms = now_ms;
		r->window_count = 0;
	}
	if (r->window_count < UINT16_MAX)
		r->window_count++;
	return conf->restart_limit > 0 &&
	    r->window_count > conf->restart_limit;
}

static int64_t
backoff_ms(const struct conf_service *conf, unsigned streak, uint32_t dice)
{
	int64_t ms = conf->restart_delay_ms;

	while (streak-- > 1 && ms < conf->restart_max_ms)
		ms *= 2;
	if (ms > conf->restart_max_ms)
		ms = conf->restart_max_ms;
	/* Up to a tenth more, so that what failed together parts ways. */
	return ms + ms / 10 * (int64_t)(dice % 1000) / 1000;
}

/* Forgets failures for the time that the run lasted; a healthy run earns a
 * restart without delay. */
static bool
earned_at_once(struct record *r, int64_t now_ms)
{
	int64_t ran = r->ready_ms > 0 ? now_ms - r->ready_ms : 0;
	int64_t forgotten = ran / POLICY_DECAY_MS;

	r->streak = forgotten >= r->streak ? 0 :
	    (uint16_t)(r->streak - forgotten);
	if (ran >= POLICY_HEALTHY_MS)
		r->trips = 0;
	return r->streak == 0 || ran >= POLICY_HEALTHY_MS;
}

static struct verdict
trip(struct record *r, const char *why)
{
	size_t n = r->trips < nitems(trip_ms) ? r->trips : nitems(trip_ms) - 1;

	if (r->trips < UINT16_MAX)
		r->trips++;
	r->window_ms = 0;
	r->window_count = 0;
	return (struct verdict){ EV_TRIP, trip_ms[n], why };
}

static struct verdict
after_failure(const struct conf_service *conf, struct record *r,
    int64_t now_ms, uint32_t dice)
{
	bool at_once = earned_at_once(r, now_ms);

	if (r->trips > 0 && r->streak > 0)
		return trip(r, "failed again when tried");
	if (over_limit(conf, r, now_ms))
		return trip(r, "too many failures");
	if (r->streak < UINT16_MAX)
		r->streak++;
	r->restarts++;
	if (at_once)
		return (struct verdict){ EV_AGAIN, 0, "" };
	return (struct verdict){ EV_DELAY,
	    backoff_ms(conf, r->streak - 1u, dice), "" };
}

struct verdict
policy_decide(const struct conf_service *conf, struct record *r,
    int64_t now_ms, uint32_t dice)
{
	enum again again = r->again;
	bool failed = !r->clean;

	r->again = AGAIN_NO;
	if (r->want == WANT_DOWN)
		return (struct verdict){ EV_REST, 0, "" };
	if (again == AGAIN_ASKED)
		return (struct verdict){ EV_AGAIN, 0, "" };
	/* A program found it failing: the budget is that of its crashes. */
	if (again == AGAIN_COUNTED)
		return after_failure(conf, r, now_ms, dice);
	if (r->want == WANT_ONCE || conf->type == TYPE_ONESHOT) {
		if (failed && conf->restart != RESTART_NEVER &&
		    conf->type == TYPE_ONESHOT && !holds_at_once(conf, r))
			return after_failure(conf, r, now_ms, dice);
		r->want = WANT_DOWN;
		return (struct verdict){ EV_REST, 0, "" };
	}
	if (holds_at_once(conf, r))
		return (struct verdict){ EV_TRIP, -1,
		    "this exit code means that trying again cannot help" };
	if (conf->restart == RESTART_NEVER && failed)
		return (struct verdict){ EV_TRIP, -1, "restart = never" };
	if (conf->restart != RESTART_ALWAYS && !failed) {
		r->want = WANT_DOWN;
		return (struct verdict){ EV_REST, 0, "done" };
	}
	return after_failure(conf, r, now_ms, dice);
}

void
policy_reset(struct record *r)
{
	r->streak = 0;
	r->trips = 0;
	r->window_ms = 0;
	r->window_count = 0;
}
