/* SPDX-License-Identifier: ISC */
/*
 * Verbs that change one service or several, and the wait for their effect:
 * subscribe first, then ask, then look at the status after each event.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "svctl.h"

#define CALL_MS		10000
#define NAMES_MAX	256

int64_t
ctl_now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
ctl_subscribe(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int rc;

	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	if (client_open(&c->events, c->run, err) < 0 ||
	    client_send(&c->events, "Subscribe", NULL, true, CALL_MS,
	    err) < 0 ||
	    client_recv(&c->events, &r, CALL_MS, err) <= 0) {
		(void)fprintf(stderr, "svctl: %s\n", err);
		return CTL_NO_SUPERVISOR;
	}
	if (r.error[0] != '\0')
		return ctl_tell(c, &r, r.reason, NULL);
	return CTL_OK;
}

int
ctl_next_event(struct ctl *c, int64_t deadline_ms)
{
	int64_t left = deadline_ms - ctl_now_ms();
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int got;

	got = client_recv(&c->events, &r, left > 0 ? (int)left : 0, err);
	if (got < 0) {
		(void)fprintf(stderr, "svctl: %s\n", err);
		return -CTL_NO_SUPERVISOR;
	}
	return got;
}

/* What is waited for. DONE and FAILED end it. */
enum outcome { GOES_ON, DONE, FAILED };

static bool
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool
gave_up(const struct sv *now)
{
	return is(now->state, "BACKOFF") || is(now->state, "TRIPPED");
}

static enum outcome
ran_once(const struct sv *before, const struct sv *now)
{
	if (gave_up(now))
		return FAILED;
	if (!is(now->state, "DOWN") || is(now->exit_at, before->exit_at))
		return GOES_ON;
	return is(now->exit_kind, "exit") && now->exit_code == 0 ? DONE :
	    FAILED;
}

static enum outcome
came_up(const struct sv *before, const struct sv *now)
{
	(void)before;
	if (is(now->type, "oneshot") && !is(now->state, "UP"))
		return ran_once(before, now);
	if (gave_up(now))
		return FAILED;
	return ctl_is_up(now) && !is(now->type, "oneshot") ? DONE : GOES_ON;
}

static enum outcome
came_back(const struct sv *before, const struct sv *now)
{
	if (is(now->type, "oneshot"))
		return ran_once(before, now);
	if (gave_up(now))
		return FAILED;
	return ctl_is_up(now) && now->pid != before->pid ? DONE : GOES_ON;
}

static enum outcome
went_down(const struct sv *before, const struct sv *now)
{
	(void)before;
	return is(now->state, "DOWN") ? DONE : GOES_ON;
}

static enum outcome
is_enabled(const struct sv *before, const struct sv *now)
{
	return is(now->type, "oneshot") ? DONE : came_up(before, now);
}

static enum outcome
is_healthy(const struct sv *before, const struct sv *now)
{
	(void)before;
	return ctl_is_up(now) && (is(now->health, "ok") ||
	    is(now->health, "busy")) ? DONE : GOES_ON;
}

static enum outcome
is_up(const struct sv *before, const struct sv *now)
{
	(void)before;
	return ctl_is_up(now) ? DONE : GOES_ON;
}

typedef enum outcome judge(const struct sv *, const struct sv *);

static const struct {
	const char *method;
	judge	*judge;
} judges[] = {
	{ "Start", came_up }, { "Stop", went_down },
	{ "Restart", came_back }, { "Once", ran_once },
	{ "Enable", is_enabled }, { "Disable", went_down },
};

/* The services waited for. */
struct watched {
	struct ctl *c;
	judge	*judge;
	struct sv before[NAMES_MAX];
	enum outcome outcome[NAMES_MAX];
	char	told[NAMES_MAX][256];	/* the last hold-up told */
	int	 n;
	bool	 first;
};

static void
compare(void *arg, const struct sv *now)
{
	struct watched *w = arg;
	int i;

	if (w->first) {
		if (w->n < NAMES_MAX)
			w->before[w->n++] = *now;
		return;
	}
	for (i = 0; i < w->n; i++)
		if (is(w->before[i].name, now->name))
			break;
	if (i == w->n || w->outcome[i] != GOES_ON)
		return;
	w->outcome[i] = w->judge(&w->before[i], now);
	if (w->outcome[i] == FAILED) {
		(void)fprintf(stderr, "svctl: %s: %s: %s\n", now->name,
		    now->state, now->reason);
		ctl_print_tail(w->c, now->name, 5);
	}
	if (w->outcome[i] == GOES_ON && is(now->state, "WAITING") &&
	    !is(w->told[i], now->reason)) {
		(void)snprintf(w->told[i], sizeof w->told[i], "%s",
		    now->reason);
		(void)fprintf(stderr, "svctl: %s %s\n", now->name,
		    now->reason);
	}
}

static int
time_is_up(struct watched *w)
{
	int i;

	for (i = 0; i < w->n; i++)
		if (w->outcome[i] == GOES_ON)
			(void)fprintf(stderr, "svctl: %s: not within %lld ms; "
			    "svctl status %s says why\n", w->before[i].name,
			    (long long)w->c->timeout_ms, w->before[i].name);
	return CTL_TIMEOUT;
}

static int
wait_for_all(struct watched *w)
{
	int64_t deadline = ctl_now_ms() + w->c->timeout_ms;
	int i, rc, open, failed;

	for (;;) {
		rc = ctl_fetch(w->c, w->c->name, w->c->n, compare, w, false);
		if (rc != CTL_OK)
			return rc;
		for (i = open = failed = 0; i < w->n; i++) {
			open += w->outcome[i] == GOES_ON;
			failed += w->outcome[i] == FAILED;
		}
		if (open == 0)
			return failed > 0 ? CTL_FAILED : CTL_OK;
		rc = ctl_next_event(w->c, deadline);
		if (rc < 0)
			return -rc;
		if (rc == 0)
			return time_is_up(w);
	}
}

static int
ask_each(struct ctl *c)
{
	char mem[256], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;
	int i, rc = CTL_OK;

	for (i = 0; i < c->n; i++) {
		buf_init(&b, mem, sizeof mem);
		json_open(&b, '{');
		json_set_str(&b, "name", c->name[i]);
		json_close(&b, '}');
		if (client_call(&c->client, c->verb->method, buf_cstr(&b), &r,
		    CALL_MS, err) < 0)
			rc = ctl_tell(c, &r, err, c->name[i]);
	}
	return rc;
}

/* Subscribed, and the present noted. */
static int
begin(struct ctl *c, struct watched *w)
{
	int rc;

	memset(w, 0, sizeof *w);
	w->c = c;
	w->first = true;
	if (c->n > NAMES_MAX) {
		(void)fprintf(stderr, "svctl: at most %d names\n", NAMES_MAX);
		return CTL_USAGE;
	}
	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	rc = ctl_fetch(c, c->name, c->n, compare, w, false);
	w->first = false;
	return rc;
}

int
svctl_act(struct ctl *c)
{
	static struct watched w;
	size_t i;
	int rc;

	if ((rc = begin(c, &w)) != CTL_OK || (rc = ask_each(c)) != CTL_OK)
		return rc;
	if (c->no_wait)
		return CTL_OK;
	for (i = 0; i < nitems(judges); i++)
		if (is(judges[i].method, c->verb->method))
			w.judge = judges[i].judge;
	return wait_for_all(&w);
}

int
svctl_wait(struct ctl *c)
{
	static struct watched w;
	int rc;

	if (c->up + c->down + c->healthy > 1) {
		(void)fprintf(stderr, "svctl: one of --up, --down and "
		    "--healthy\n");
		return CTL_USAGE;
	}
	if ((rc = begin(c, &w)) != CTL_OK)
		return rc;
	w.judge = c->down ? went_down : c->healthy ? is_healthy : is_up;
	return wait_for_all(&w);
}
