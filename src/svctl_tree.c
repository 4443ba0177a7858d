/* SPDX-License-Identifier: ISC */
/*
 * Verbs that concern the tree as a whole, and signal.
 */
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "svctl.h"

#define CALL_MS	10000

static int
bad_signal(const struct ctl *c)
{
	if (conf_signal(c->name[1]) >= 0)
		(void)fprintf(stderr, "svctl: the signal comes first: svctl "
		    "signal %s %s\n", c->name[1], c->name[0]);
	else
		(void)fprintf(stderr, "svctl: no signal %s; TERM, HUP or 15 "
		    "would be one\n", c->name[0]);
	return CTL_USAGE;
}

static bool
is_running(struct ctl *c, char *name)
{
	struct list l = { .sv = NULL };
	bool running;

	running = ctl_list(c, &name, 1, &l, false) == CTL_OK && l.n == 1 &&
	    l.sv[0].pid > 0;
	ctl_list_free(&l);
	return running;
}

static int
send_signal(struct ctl *c, const char *word, char *name)
{
	struct client_reply r;
	int rc = ctl_call(c, "Signal", name, "signal", word, &r);

	return rc == CTL_FAILED && !is_running(c, name) ? CTL_NOT_RUNNING :
	    rc;
}

int
svctl_signal(struct ctl *c)
{
	const char *word = c->name[0];
	int i, rc, worst = CTL_OK;

	if (ctl_is(c->verb->name, "signal")) {
		if (conf_signal(word) < 0)
			return bad_signal(c);
		c->name++;
		c->n--;
	} else {
		word = ctl_is(c->verb->name, "pause") ? "STOP" : "CONT";
	}
	if ((rc = ctl_expand(c)) != CTL_OK ||
	    (rc = ctl_fetch(c, c->name, c->n, NULL, NULL, false)) != CTL_OK)
		return rc;
	for (i = 0; i < c->n; i++) {
		rc = send_signal(c, word, c->name[i]);
		worst = rc > worst ? rc : worst;
	}
	return worst;
}

/* What each kind of change leads to; a dry run says it as "would". */
static const struct {
	const char *kind, *done, *would;
} changes[] = {
	{ "added", "added", "would start (new)" },
	{ "removed", "removed", "would stop (its directory is gone)" },
	{ "changed", "changed (takes effect at its next start)",
	    "would take its new definition at its next start" },
};

static void
print_list(const struct client_reply *r, const char *kind, const char *words,
    FILE *out)
{
	int list = json_get(&r->json, r->params, kind), v;
	char text[600];

	for (v = json_first(&r->json, list); v >= 0;
	    v = json_next(&r->json, list, v))
		if (json_str(&r->json, v, text, sizeof text) == 0)
			(void)fprintf(out, "%s%s%s\n", words,
			    words[0] == '\0' ? "" : ": ", text);
}

static int
refused(const struct ctl *c, const struct client_reply *r)
{
	const char *text;
	size_t len;

	if (c->json && (text = json_raw(&r->json, r->params, &len)) != NULL)
		(void)printf("%.*s\n", (int)len, text);
	print_list(r, "errors", "", stderr);
	(void)fputs("svctl: reload refused: nothing has changed; mend the "
	    "errors above\n", stderr);
	return CTL_FAILED;
}

int
svctl_reload(struct ctl *c)
{
	bool dry_run = c->opt[OPT_DRY_RUN] != NULL;
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	const char *text;
	size_t i, len;
	int rc;

	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	if (client_call(&c->client, "Reload", dry_run ?
	    "{\"dry_run\":true}" : NULL, &r, CALL_MS, err) < 0)
		return ctl_is(r.error, "org.svtree.InvalidTree") ?
		    refused(c, &r) : ctl_tell(c, &r, err, NULL);
	if (c->json && (text = json_raw(&r.json, r.params, &len)) != NULL)
		(void)printf("%.*s\n", (int)len, text);
	for (i = 0; i < nitems(changes) && !c->json && !c->quiet; i++)
		print_list(&r, changes[i].kind, dry_run ? changes[i].would :
		    changes[i].done, stdout);
	return CTL_OK;
}

/* "3 still there: ollama (STOPPING), ..." */
static void
name_stragglers(struct ctl *c, char *dst, size_t cap)
{
	struct list l = { .sv = NULL };
	int i, n = 0;
	size_t at;

	dst[0] = '\0';
	if (ctl_list(c, NULL, 0, &l, false) != CTL_OK)
		return;
	for (i = 0; i < l.n; i++)
		n += !ctl_is(l.sv[i].state, "DOWN");
	(void)snprintf(dst, cap, "shutdown: %d still there:", n);
	for (i = 0; i < l.n && (at = strlen(dst)) + 80 < cap; i++)
		if (!ctl_is(l.sv[i].state, "DOWN"))
			(void)snprintf(dst + at, cap - at, " %s (%s)",
			    l.sv[i].name, l.sv[i].state);
	ctl_list_free(&l);
}

/* The end of the supervisor is the end of the stream of events. */
static int
wait_for_end(struct ctl *c)
{
	int64_t deadline = ctl_now_ms() + c->timeout_ms, now;
	char err[CLIENT_ERR_LEN], words[480];
	struct progress p;
	struct client_reply r;
	int got = 1;

	ctl_progress_begin(&p, c);
	while ((now = ctl_now_ms()) < deadline && got >= 0) {
		now += ctl_progress_ms(&p);
		got = client_recv(&c->events, &r, (int)((now < deadline ?
		    now : deadline) - ctl_now_ms()), err);
		if (got != 0)
			continue;
		name_stragglers(c, words, sizeof words);
		if (words[0] != '\0')
			ctl_progress_show(&p, words);
	}
	ctl_progress_clear(&p);
	if (got < 0)
		return CTL_OK;
	ctl_duration(err, sizeof err, c->timeout_ms);
	name_stragglers(c, words, sizeof words);
	(void)fprintf(stderr, "svctl: not down within %s; %s\n", err, words);
	return CTL_TIMEOUT;
}

int
svctl_shutdown(struct ctl *c)
{
	struct client_reply r;
	int rc;

	if ((rc = ctl_subscribe(c)) != CTL_OK ||
	    (rc = ctl_call(c, "Shutdown", NULL, NULL, NULL, &r)) != CTL_OK)
		return rc;
	return c->no_wait ? CTL_OK : wait_for_end(c);
}
