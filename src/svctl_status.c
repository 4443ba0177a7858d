/* SPDX-License-Identifier: ISC */
/*
 * svctl status: from the supervisor, or, when it is gone, from the records
 * that it left in run/table.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "os.h"
#include "record.h"
#include "status.h"
#include "svctl.h"

struct gathered {
	struct sv *sv;
	int	 n, room;
	bool	 all_up, lost;
};

static void
gather(void *arg, const struct sv *sv)
{
	struct gathered *g = arg;
	struct sv *grown;

	if (strcmp(sv->want, "up") == 0 && !ctl_is_up(sv))
		g->all_up = false;
	if (g->n == g->room) {
		grown = realloc(g->sv, (size_t)(g->room + 64) * sizeof *grown);
		if (grown == NULL) {
			g->lost = true;
			return;
		}
		g->sv = grown;
		g->room += 64;
	}
	g->sv[g->n++] = *sv;
}

/* One service named: its page; none or several: the table. */
static int
show(const struct ctl *c, struct gathered *g)
{
	bool running = true;
	int i;

	if (!c->json && c->n == 1 && g->n == 1)
		ctl_print_full(&g->sv[0]);
	else if (!c->json)
		ctl_print_table(g->sv, g->n);
	for (i = 0; i < g->n; i++)
		running = running && ctl_is_up(&g->sv[i]);
	if (c->n > 0)
		return running ? CTL_OK : CTL_NOT_RUNNING;
	return g->all_up ? CTL_OK : CTL_FAILED;
}

int
svctl_status(struct ctl *c)
{
	struct gathered g = { .all_up = true };
	char err[CLIENT_ERR_LEN];
	int rc;

	if (client_open(&c->client, c->run, err) < 0 &&
	    (errno == ENOENT || errno == ECONNREFUSED))
		return svctl_offline(c);
	rc = ctl_fetch(c, c->name, c->n, gather, &g, c->json);
	if (rc == CTL_OK)
		rc = show(c, &g);
	free(g.sv);
	return rc;
}

static bool
is_asked_for(const struct ctl *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->name[i], name) == 0)
			return true;
	return c->n == 0;
}

/* What the record says, held against the process table of now. */
static void
put_record(struct buf *b, const struct ctl *c, struct record *r)
{
	struct conf_service conf = { .name = r->name };
	const struct status_now now = { .now_ms = os_now_ms(),
	    .awake_ms = os_awake_ms(), .wall_us = os_wall_us() };
	uint64_t start;

	if (!is_asked_for(c, r->name))
		return;
	if (r->pid > 0 && (os_proc_start(r->pid, &start) < 0 ||
	    start != r->start)) {
		(void)snprintf(r->reason, sizeof r->reason,
		    "pid %d is gone; nobody is there to start it again",
		    (int)r->pid);
		r->pid = 0;
	}
	status_put_service(b, &conf, r, false, &now);
}

static int
show_records(struct ctl *c, struct table *t)
{
	size_t cap = (size_t)(t->slots + 1) * STATUS_SERVICE_MAX, len;
	int ntok = t->slots * 128 + 64, i;
	struct gathered g = { .all_up = true };
	char *mem = malloc(cap), err[JSON_ERR_LEN];
	struct json_tok *tok = calloc((size_t)ntok, sizeof *tok);
	struct record r;
	struct json j;
	struct buf b;

	if (mem == NULL || tok == NULL) {
		free(mem);
		free(tok);
		return CTL_FAILED;
	}
	buf_init(&b, mem, cap);
	buf_puts(&b, "{\"supervisor\":null,\"services\":[");
	for (i = 0; i < t->slots; i++)
		if (table_read(t, i, &r) == 0)
			put_record(&b, c, &r);
	buf_puts(&b, "]}");
	len = b.len;
	if (c->json)
		(void)printf("%.*s\n", (int)len, mem);
	if (json_parse(&j, mem, len, tok, ntok, err) == 0)
		ctl_walk(&j, json_get(&j, 0, "services"), gather, &g);
	(void)show(c, &g);
	free(g.sv);
	free(mem);
	free(tok);
	return CTL_NO_SUPERVISOR;
}

int
svctl_offline(struct ctl *c)
{
	char run[512], path[600];
	struct table t;
	int rc;

	if (client_run_dir(c->run, run, sizeof run) < 0)
		(void)snprintf(run, sizeof run, "?");
	(void)snprintf(path, sizeof path, "%s/table", run);
	if (table_open_read(&t, path) < 0) {
		(void)fprintf(stderr, "svctl: no supervisor is running on %s, "
		    "and none has left records; start svtree, or name its run "
		    "directory by --run\n", run);
		return CTL_NO_SUPERVISOR;
	}
	(void)fprintf(stderr, "svctl: no supervisor is running on %s; its "
	    "last records say:\n", run);
	rc = show_records(c, &t);
	table_close(&t);
	return rc;
}
