/* SPDX-License-Identifier: ISC */
/*
 * What happens and what has happened: the supervisor's events, live from its
 * socket or from its own log, a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl.h"
#include "svctl_event.h"
#include "svctl_lines.h"

#define DEFAULT_LINES	50

static void
print_event(const struct term *t, const struct event *e)
{
	bool state = ctl_is(e->event, "state");
	const char *fraction = strchr(e->at, '.');
	struct sv sv = { .enabled = true };
	const char *glyph;
	char when[32];
	enum hue hue;

	ctl_local(when, sizeof when, e->at);
	(void)strlcpy(sv.state, e->state, sizeof sv.state);
	(void)strlcpy(sv.health, e->health, sizeof sv.health);
	hue = state ? ctl_look(t, &sv, &glyph) : HUE_NONE;
	(void)printf("%s%.4s  %-20s  %s%-10s%s  ", when, fraction != NULL ?
	    fraction : "", e->service[0] != '\0' ? e->service : "(tree)",
	    ctl_hue(t, hue), state ? e->state : e->event,
	    ctl_hue(t, HUE_NONE));
	(void)ctl_put(stdout, t, e->reason, 0);
	(void)fputc('\n', stdout);
}

static void
show_reply(struct ctl *c, const struct term *t, const struct client_reply *r)
{
	int o = json_get(&r->json, r->params, "event");
	struct event e;
	const char *text;
	size_t len;

	if (json_kind(&r->json, o) != JSON_OBJECT)
		return;
	event_take(&r->json, o, &e);
	if (!event_concerns(c, &e))
		return;
	text = json_raw(&r->json, o, &len);
	if (c->json)
		(void)printf("%.*s\n", (int)len, text);
	else
		print_event(t, &e);
}

int
svctl_events(struct ctl *c)
{
	struct term t = ctl_term(stdout);
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int rc, got;

	if ((rc = ctl_subscribe(c)) != CTL_OK ||
	    (rc = ctl_expand(c)) != CTL_OK ||
	    (rc = ctl_fetch(c, c->name, c->n, NULL, NULL, false)) != CTL_OK)
		return rc;
	for (;;) {
		got = client_recv(&c->events, &r, 3600000, err);
		if (got < 0) {
			(void)fprintf(stderr, "svctl: the events have ended: "
			    "%s\n", err);
			return CTL_NO_SUPERVISOR;
		}
		if (got > 0)
			show_reply(c, &t, &r);
		if (fflush(stdout) != 0)
			return CTL_OK;	/* the reader has gone */
	}
}

/* The last lines that concern the services named: a ring. */
struct ring {
	char	**line;
	long	 size, n;
};

static void
keep(const struct ctl *c, struct ring *r, const char *line, size_t len)
{
	struct event e;
	char **slot;

	if (event_parse(line, len, &e) < 0 || !event_concerns(c, &e) ||
	    ctl_is(e.event, "text") ||
	    (c->since_us > 0 && ctl_time_us(e.at) < c->since_us))
		return;
	if (r->n == r->size && c->lines < 0 && c->since_us > 0) {
		slot = realloc(r->line, (size_t)r->size * 2 * sizeof *slot);
		if (slot == NULL)
			return;
		memset(slot + r->size, 0, (size_t)r->size * sizeof *slot);
		r->line = slot;
		r->size *= 2;
	}
	slot = &r->line[r->n++ % r->size];
	free(*slot);
	*slot = strndup(line, len);
}

static void
print_ring(const struct ctl *c, struct ring *r)
{
	struct term t = ctl_term(stdout);
	struct event e;
	char *line;
	long i;

	for (i = r->n > r->size ? r->n - r->size : 0; i < r->n; i++) {
		line = r->line[i % r->size];
		if (line == NULL)
			continue;
		if (c->json)
			(void)fputs(line, stdout);
		else if (event_parse(line, strlen(line), &e) == 0)
			print_event(&t, &e);
	}
	for (i = 0; i < r->size; i++)
		free(r->line[i]);
	free(r->line);
}

int
svctl_history(struct ctl *c)
{
	struct ring r = { .size = c->lines >= 0 ? c->lines : DEFAULT_LINES };
	struct lines l;
	char dir[1024], err[CLIENT_ERR_LEN];
	int rc;

	if (ctl_log_dir(c, "svtree", dir, sizeof dir) < 0 ||
	    lines_open(&l, dir, -1, NULL) < 0) {
		if ((rc = ctl_connect(c)) != CTL_OK)
			return rc;
		(void)fprintf(stderr, "svctl: there is no history yet, or it "
		    "is not yours to read: run svctl as the tree's owner\n");
		return CTL_FAILED;
	}
	r.line = r.size > 0 ? calloc((size_t)r.size, sizeof *r.line) : NULL;
	while (r.line != NULL && lines_next(&l))
		keep(c, &r, l.line, (size_t)l.len);
	lines_close(&l);
	if (r.line != NULL)
		print_ring(c, &r);
	/* One that nothing is told of: is there such a service at all? */
	if (r.n == 0 && c->n > 0 && client_open(&c->client, c->run, err) == 0)
		return ctl_fetch(c, c->name, c->n, NULL, NULL, false);
	return CTL_OK;
}
