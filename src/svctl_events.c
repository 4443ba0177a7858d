/* SPDX-License-Identifier: ISC */
/*
 * What happens and what has happened: the supervisor's events, live from its
 * socket or from its own log, a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl.h"

#define DEFAULT_LINES	50
#define TOKENS		128

struct event {
	char	at[32], event[16], service[64], state[16], reason[256];
};

static void
take_event(const struct json *j, int o, struct event *e)
{
	(void)json_str(j, json_get(j, o, "at"), e->at, sizeof e->at);
	(void)json_str(j, json_get(j, o, "event"), e->event, sizeof e->event);
	(void)json_str(j, json_get(j, o, "service"), e->service,
	    sizeof e->service);
	(void)json_str(j, json_get(j, o, "state"), e->state, sizeof e->state);
	(void)json_str(j, json_get(j, o, "reason"), e->reason,
	    sizeof e->reason);
}

static void
print_event(const struct event *e)
{
	bool state = strcmp(e->event, "state") == 0;

	(void)printf("%-24s  %-20s  %-10s  %s\n", e->at, e->service[0] != '\0' ?
	    e->service : "(tree)", state ? e->state : e->event, e->reason);
}

int
svctl_events(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct event e;
	const char *text;
	size_t len;
	int rc, got, o;

	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	for (;;) {
		got = client_recv(&c->events, &r, 3600000, err);
		if (got < 0) {
			(void)fprintf(stderr, "svctl: %s\n", err);
			return CTL_NO_SUPERVISOR;
		}
		o = json_get(&r.json, r.params, "event");
		if (got == 0 || json_kind(&r.json, o) != JSON_OBJECT)
			continue;
		if (c->json) {
			text = json_raw(&r.json, o, &len);
			(void)printf("%.*s\n", (int)len, text);
		} else {
			take_event(&r.json, o, &e);
			print_event(&e);
		}
		if (fflush(stdout) != 0)
			return CTL_OK;	/* the reader has gone */
	}
}

/* The last lines that concern the services named: a ring. */
struct ring {
	const struct ctl *c;
	char	**line;
	long	 size, n;
};

static bool
concerns(const struct ctl *c, const struct event *e)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->name[i], e->service) == 0)
			return true;
	return c->n == 0;
}

static int
parse(const char *line, size_t len, struct event *e)
{
	struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	struct json j;

	if (json_parse(&j, line, len, tok, TOKENS, err) < 0)
		return -1;
	take_event(&j, 0, e);
	return 0;
}

static void
keep(void *arg, const char *line, size_t len)
{
	struct ring *r = arg;
	struct event e;
	char **slot;

	if (parse(line, len, &e) < 0 || !concerns(r->c, &e) ||
	    strcmp(e.event, "text") == 0)
		return;
	slot = &r->line[r->n++ % r->size];
	free(*slot);
	*slot = strndup(line, len);
}

int
svctl_history(struct ctl *c)
{
	struct ring r = { .c = c, .size = c->lines > 0 ? c->lines :
	    DEFAULT_LINES };
	char dir[1024];
	struct event e;
	long i;

	if (ctl_log_dir(c, "svtree", dir, sizeof dir) < 0) {
		(void)fprintf(stderr, "svctl: there is no history yet, or it "
		    "is not yours to read\n");
		return CTL_FAILED;
	}
	r.line = calloc((size_t)r.size, sizeof *r.line);
	if (r.line == NULL)
		return CTL_FAILED;
	(void)ctl_each_line(dir, keep, &r);
	for (i = r.n > r.size ? r.n - r.size : 0; i < r.n; i++) {
		char *line = r.line[i % r.size];

		if (line == NULL)
			continue;
		if (c->json)
			(void)fputs(line, stdout);
		else if (parse(line, strlen(line), &e) == 0)
			print_event(&e);
		free(line);
	}
	free(r.line);
	return CTL_OK;
}
