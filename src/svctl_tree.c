/* SPDX-License-Identifier: ISC */
/*
 * Verbs that concern the tree as a whole, and the two that fit nowhere else:
 * signal and check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "svctl.h"

#define CALL_MS	10000

int
svctl_signal(struct ctl *c)
{
	char mem[512], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;
	int i, rc;

	if (conf_signal(c->name[0]) < 0) {
		(void)fprintf(stderr, "svctl: no signal %s; TERM, HUP or 15 "
		    "would be one\n", c->name[0]);
		return CTL_USAGE;
	}
	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	for (i = 1; i < c->n; i++) {
		buf_init(&b, mem, sizeof mem);
		json_open(&b, '{');
		json_set_str(&b, "name", c->name[i]);
		json_set_str(&b, "signal", c->name[0]);
		json_close(&b, '}');
		if (client_call(&c->client, "Signal", buf_cstr(&b), &r,
		    CALL_MS, err) < 0)
			rc = ctl_tell(c, &r, err, c->name[i]);
	}
	return rc;
}

/* What each kind of change leads to; a dry run says it as "would". */
static const struct change {
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

int
svctl_reload(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	size_t i;
	int rc;

	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	if (client_call(&c->client, "Reload", c->dry_run ?
	    "{\"dry_run\":true}" : NULL, &r, CALL_MS, err) < 0) {
		if (strcmp(r.error, "org.svtree.InvalidTree") != 0)
			return ctl_tell(c, &r, err, NULL);
		print_list(&r, "errors", "", stderr);
		(void)fprintf(stderr, "svctl: reload refused: %s\n", err);
		return CTL_FAILED;
	}
	for (i = 0; i < nitems(changes); i++)
		print_list(&r, changes[i].kind, c->dry_run ?
		    changes[i].would : changes[i].done, stdout);
	return CTL_OK;
}

int
svctl_shutdown(struct ctl *c)
{
	int64_t deadline = ctl_now_ms() + c->timeout_ms;
	char err[CLIENT_ERR_LEN];
	struct client_reply r, last;
	int rc, got;

	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	if (client_call(&c->client, "Shutdown", NULL, &r, CALL_MS, err) < 0)
		return ctl_tell(c, &r, err, NULL);
	if (c->no_wait)
		return CTL_OK;
	do {	/* its end is the end of the stream */
		got = client_recv(&c->events, &last,
		    (int)(deadline - ctl_now_ms()), err);
	} while (got > 0 && ctl_now_ms() < deadline);
	if (got < 0)
		return CTL_OK;
	(void)fprintf(stderr, "svctl: not within %lld ms; svctl status says "
	    "who is still there\n", (long long)c->timeout_ms);
	return CTL_TIMEOUT;
}

static void
print_error(void *arg, const char *line)
{
	int *errors = arg;

	++*errors;
	(void)fprintf(stderr, "%s\n", line);
}

int
svctl_check(struct ctl *c)
{
	const char *dir = c->n > 0 ? c->name[0] : getenv("SVTREE_SERVICES");
	const char *home = getenv("HOME");
	char mine[1024];
	struct conf_tree t;
	int errors = 0;

	if (dir == NULL) {
		(void)snprintf(mine, sizeof mine, "%s/.svtree/services",
		    home != NULL ? home : "");
		dir = geteuid() == 0 ? "/etc/svtree/services" : mine;
	}
	if (conf_load(&t, dir, print_error, &errors) < 0) {
		(void)fprintf(stderr, "svctl: %s: %d error%s\n", dir, errors,
		    errors == 1 ? "" : "s");
		return CTL_FAILED;
	}
	(void)printf("%s: %d service%s, no error\n", dir, t.n,
	    t.n == 1 ? "" : "s");
	conf_free(&t);
	return CTL_OK;
}
