/* SPDX-License-Identifier: ISC */
/*
 * Status without a supervisor: the records that it left in run/table, held
 * against the process table of now.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "os.h"
#include "record.h"
#include "status.h"
#include "svctl.h"

static bool
is_asked_for(const struct ctl *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (ctl_is(c->name[i], name))
			return true;
	return c->n == 0;
}

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
		(void)strlcpy(r->text, r->reason, sizeof r->text);
		r->pid = 0;
	}
	r->deadline_ms = 0;	/* nobody keeps it */
	status_put_service(b, &conf, r, false, &now);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct sv *)a)->name,
	    ((const struct sv *)b)->name);
}

static int
read_records(struct ctl *c, struct table *t, struct list *l)
{
	size_t cap = (size_t)(t->slots + 1) * STATUS_SERVICE_MAX;
	int ntok = t->slots * 128 + 64, i;
	char *mem = malloc(cap), err[JSON_ERR_LEN];
	struct json_tok *tok = calloc((size_t)ntok, sizeof *tok);
	struct record r;
	struct json j;
	struct buf b;

	if (mem != NULL && tok != NULL) {
		buf_init(&b, mem, cap);
		buf_puts(&b, "{\"supervisor\":null,\"services\":[");
		for (i = 0; i < t->slots; i++)
			if (table_read(t, i, &r) == 0)
				put_record(&b, c, &r);
		buf_puts(&b, "]}");
		if (c->json && !c->quiet)
			(void)printf("%.*s\n", (int)b.len, mem);
		if (json_parse(&j, mem, b.len, tok, ntok, err) == 0)
			ctl_walk(&j, json_get(&j, 0, "services"), ctl_gather,
			    l);
	}
	free(mem);
	free(tok);
	if (l->n > 0)
		qsort(l->sv, (size_t)l->n, sizeof *l->sv, by_name);
	return CTL_NO_SUPERVISOR;
}

int
ctl_offline(struct ctl *c, struct list *l)
{
	char run[512], path[600];
	struct table t;
	int rc;

	if (client_run_dir(c->run, run, sizeof run) < 0)
		(void)snprintf(run, sizeof run, "?");
	(void)snprintf(path, sizeof path, "%s/table", run);
	if (table_open_read(&t, path) < 0)
		return ctl_connect(c);	/* tells what is there instead */
	(void)fprintf(stderr, "svctl: no supervisor is running on %s (start "
	    "svtree: it will take over what runs); its last records say:\n",
	    run);
	rc = read_records(c, &t, l);
	table_close(&t);
	return rc;
}
