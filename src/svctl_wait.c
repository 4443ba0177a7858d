/* SPDX-License-Identifier: ISC */
/*
 * Verbs that change services, and the wait for their effect: subscribe
 * first, then ask, then look at the status after each event.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"
#include "svctl.h"

#define LOGGER_MS	100	/* it may be behind what it logs */
#define TAIL_LINES	5
#define CHAIN_MAX	8
#define SETTLE_MS	150	/* up, and not gone again at once */

/* The services waited for. */
struct watch {
	struct ctl *c;
	ctl_judge *judge;
	struct list before, now;
	bool	 settles;	/* UP has to last */
	enum outcome *outcome;	/* one for each of before */
	int	 open, failed;
	int64_t	 settle_ms;	/* until the next has been up long enough */
	struct progress progress;
};

/* "STOPPING, stopped on request; a harder signal in 9 s" */
static void
put_words(char *dst, size_t cap, const struct sv *sv, bool with_next)
{
	char next[128];
	size_t n;

	(void)snprintf(dst, cap, "%s%s%s", sv->state, sv->reason[0] != '\0' ?
	    ", " : "", sv->reason);
	n = strlen(dst);
	ctl_next_step(next, sizeof next, sv);
	if (ctl_is_up(sv))
		(void)snprintf(dst + n, cap - n, ", health %s", sv->health);
	else if (with_next && next[0] != '\0')
		(void)snprintf(dst + n, cap - n, "; %s", next);
}

static void
tell_failure(struct watch *w, const struct sv *sv)
{
	char words[512];

	put_words(words, sizeof words, sv, true);
	(void)fprintf(stderr, "svctl: %s: %s failed: %s\n", sv->name,
	    w->c->verb->name, words);
	(void)ctl_next_event(w->c, ctl_now_ms() + LOGGER_MS);
	ctl_print_tail(w->c, sv->name, TAIL_LINES);
}

static void
tell_success(struct watch *w, const struct sv *sv)
{
	struct term t = ctl_term(stderr);
	const char *glyph;
	enum hue hue = ctl_look(&t, sv, &glyph);
	char took[32];

	if (!w->progress.terminal || w->c->quiet)
		return;
	ctl_duration(took, sizeof took, ctl_now_ms() - w->progress.began_ms);
	(void)fprintf(stderr, "%s%s%s %s: %s after %s\n", ctl_hue(&t, hue),
	    glyph, ctl_hue(&t, HUE_NONE), sv->name, sv->state, took);
}

/* A program that dies right after its start was not started. */
static enum outcome
judge(struct watch *w, const struct sv *before, const struct sv *now)
{
	enum outcome outcome = w->judge(before, now);
	int64_t up_ms = (os_wall_us() - ctl_time_us(now->since)) / 1000;

	if (outcome != DONE || !ctl_is_up(now) || !w->settles ||
	    up_ms >= SETTLE_MS || up_ms < 0)
		return outcome;
	if (SETTLE_MS - up_ms < w->settle_ms)
		w->settle_ms = SETTLE_MS - up_ms;
	return GOES_ON;
}

static void
compare(struct watch *w)
{
	const struct sv *now;
	int i;

	w->settle_ms = INT32_MAX;
	for (i = w->open = 0; i < w->before.n; i++) {
		if (w->outcome[i] != GOES_ON)
			continue;
		now = ctl_find(&w->now, w->before.sv[i].name);
		if (now == NULL)
			continue;
		w->outcome[i] = judge(w, &w->before.sv[i], now);
		w->open += w->outcome[i] == GOES_ON;
		w->failed += w->outcome[i] == FAILED;
		if (w->outcome[i] != GOES_ON)
			ctl_progress_clear(&w->progress);
		if (w->outcome[i] == FAILED)
			tell_failure(w, now);
		else if (w->outcome[i] == DONE)
			tell_success(w, now);
	}
}

static void
show_progress(struct watch *w)
{
	const struct sv *sv = NULL;
	char line[640], words[512], more[32] = "";
	int i;

	for (i = 0; i < w->before.n && sv == NULL; i++)
		if (w->outcome[i] == GOES_ON)
			sv = ctl_find(&w->now, w->before.sv[i].name);
	if (sv == NULL)
		return;
	/* Off a terminal the time that is left would make each line new. */
	put_words(words, sizeof words, sv, w->progress.terminal);
	if (w->open > 1)
		(void)snprintf(more, sizeof more, " (and %d more)",
		    w->open - 1);
	(void)snprintf(line, sizeof line, "%s %s: %s%s", w->c->verb->name,
	    sv->name, words, more);
	ctl_progress_show(&w->progress, line);
}

/* What holds it up, and what holds that up. */
static void
tell_chain(const struct list *all, const struct sv *sv)
{
	char words[512];
	bool healthy;
	int i;

	for (i = 0; i < CHAIN_MAX && ctl_is(sv->state, "WAITING"); i++) {
		if ((sv = ctl_unmet(all, sv, &healthy)) == NULL)
			return;
		put_words(words, sizeof words, sv, true);
		(void)fprintf(stderr, "svctl:   %s is %s\n", sv->name, words);
	}
}

static int
tell_timeout(struct watch *w)
{
	const struct verb *v = w->c->verb;
	struct list all = { .sv = NULL };
	char took[32], words[512];
	const struct sv *sv;
	int i;

	ctl_progress_clear(&w->progress);
	ctl_duration(took, sizeof took, w->c->timeout_ms);
	if (ctl_list(w->c, NULL, 0, &all, false) != CTL_OK)
		return CTL_TIMEOUT;
	for (i = 0; i < w->before.n; i++) {
		sv = ctl_find(&all, w->before.sv[i].name);
		if (sv == NULL || w->outcome[i] != GOES_ON)
			continue;
		put_words(words, sizeof words, sv, true);
		(void)fprintf(stderr, "svctl: %s: not %s within %s: it is "
		    "%s\n", sv->name, ctl_judge_word(v->name, w->c), took,
		    words);
		tell_chain(&all, sv);
		(void)fprintf(stderr, "svctl:   more: svctl status %s\n",
		    sv->name);
	}
	ctl_list_free(&all);
	return CTL_TIMEOUT;
}

static int
wait_for_all(struct watch *w)
{
	int64_t deadline = ctl_now_ms() + w->c->timeout_ms, turn, settled;
	int rc;

	for (;;) {
		rc = ctl_list(w->c, w->c->name, w->c->n, &w->now, false);
		if (rc != CTL_OK)
			return rc;
		compare(w);
		if (w->open == 0)
			return w->failed > 0 ? CTL_FAILED : CTL_OK;
		settled = ctl_now_ms() + w->settle_ms;
		do {
			show_progress(w);
			turn = ctl_now_ms() + ctl_progress_ms(&w->progress);
			turn = turn < deadline ? turn : deadline;
			rc = ctl_next_event(w->c, turn < settled ? turn :
			    settled);
			if (rc == 0 && ctl_now_ms() >= deadline)
				return tell_timeout(w);
		} while (rc == 0 && ctl_now_ms() < settled);
		if (rc < 0)
			return -rc;
	}
}

/* Subscribed, and the present noted. */
static int
begin(struct ctl *c, struct watch *w)
{
	int rc;

	memset(w, 0, sizeof *w);
	w->c = c;
	w->judge = ctl_judge_of(c->verb->name, c);
	w->settles = c->verb->method != NULL;
	if ((rc = ctl_subscribe(c)) != CTL_OK ||
	    (rc = ctl_expand(c)) != CTL_OK ||
	    (rc = ctl_list(c, c->name, c->n, &w->before, false)) != CTL_OK)
		return rc;
	w->outcome = calloc((size_t)w->before.n + 1, sizeof *w->outcome);
	ctl_progress_begin(&w->progress, c);
	return w->outcome == NULL ? CTL_FAILED : CTL_OK;
}

static int
end(struct watch *w, int rc)
{
	ctl_progress_clear(&w->progress);
	if (w->c->json && rc != CTL_NO_SERVICE && rc != CTL_NO_SUPERVISOR)
		(void)ctl_list(w->c, w->c->name, w->c->n, &w->now, true);
	ctl_list_free(&w->before);
	ctl_list_free(&w->now);
	free(w->outcome);
	return rc;
}

int
svctl_act(struct ctl *c)
{
	struct client_reply r;
	struct watch w;
	int i, rc;

	rc = begin(c, &w);
	for (i = 0; i < c->n && rc == CTL_OK; i++)
		rc = ctl_call(c, c->verb->method, c->name[i], NULL, NULL, &r);
	if (rc == CTL_OK && !c->no_wait)
		rc = wait_for_all(&w);
	return end(&w, rc);
}

/* Those that are wanted up; of these, to be healthy, what has a probe. */
static int
name_all(struct ctl *c)
{
	struct list l = { .sv = NULL };
	const struct sv *sv;
	int rc, i;

	if ((rc = ctl_connect(c)) != CTL_OK ||
	    (rc = ctl_list(c, NULL, 0, &l, false)) != CTL_OK)
		return rc;
	ctl_own_names(c, calloc((size_t)l.n + 1, sizeof *c->name), 0);
	for (i = 0; i < l.n && c->name != NULL; i++) {
		sv = &l.sv[i];
		if (!sv->enabled || !ctl_is(sv->want, "up") ||
		    ctl_is(sv->type, "oneshot") ||
		    (c->opt[OPT_HEALTHY] != NULL && sv->probe[0] == '\0'))
			continue;
		if ((c->name[c->n] = strdup(sv->name)) != NULL)
			c->n++;
	}
	ctl_list_free(&l);
	return c->name != NULL ? CTL_OK : CTL_FAILED;
}

int
svctl_wait(struct ctl *c)
{
	struct watch w;
	int rc;

	if ((c->opt[OPT_UP] != NULL) + (c->opt[OPT_DOWN] != NULL) +
	    (c->opt[OPT_HEALTHY] != NULL) > 1) {
		(void)fprintf(stderr, "svctl: wait: one of --up, --down and "
		    "--healthy, not several\n");
		return CTL_USAGE;
	}
	if (c->n == 0 && c->opt[OPT_DOWN] != NULL) {
		(void)fprintf(stderr, "svctl: wait: who is to be down? "
		    "svctl wait --down NAME...\n");
		return CTL_USAGE;
	}
	if (c->n == 0 && ((rc = name_all(c)) != CTL_OK || c->n == 0))
		return rc;
	rc = begin(c, &w);
	if (rc == CTL_OK)
		rc = wait_for_all(&w);
	return end(&w, rc);
}
