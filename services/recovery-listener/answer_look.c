/* SPDX-License-Identifier: ISC */
/*
 * The answers that change nothing: is it there, is it healthy, how is it.
 */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "buf.h"
#include "json.h"
#include "metrics.h"
#include "os.h"
#include "view.h"

#define AGE_MS		20
#define NO_TREE_S	2	/* it is back soon, or not at all */

void
answer_root(struct query *q)
{
	if (strstr(q->rq->accept, "text/html") != NULL) {
		answer_html(q);
		return;
	}
	buf_printf(q->out, "{\"status\": \"ok\", "
	    "\"service\": \"recovery-listener\", \"port\": %u}", q->o->port);
}

void
answer_healthz(struct query *q)
{
	q->r->type = "text/plain";
	buf_puts(q->out, "ok\n");
}

struct tally {
	struct buf	*out;
	int		 wanted, bad;
	int		 retry_s;	/* of the one that is soonest */
};

static void
tally(void *arg, const struct seen *sv)
{
	struct tally *t = arg;
	enum fitness f = view_fitness(sv);
	int s = view_retry_s(sv, os_wall_us());

	if (!view_counts(sv))
		return;
	t->wanted++;
	if (view_is_usable(f))
		return;
	if (t->bad++ == 0 || (s > 0 && s < t->retry_s))
		t->retry_s = s;
	json_set_str(t->out, sv->name, view_fitness_name(f));
}

static void
put_all(struct query *q)
{
	struct tally t = { .out = q->out };

	json_open(q->out, '{');
	json_key(q->out, "unhealthy");
	json_open(q->out, '{');
	view_services(tally, &t);
	json_close(q->out, '}');
	json_set_str(q->out, "status", t.bad == 0 ? "ok" : "failing");
	json_set_int(q->out, "wanted", t.wanted);
	json_close(q->out, '}');
	q->r->status = t.bad == 0 ? 200 : 503;
	q->r->retry_after = t.retry_s;
}

static void
put_one(struct query *q, const struct seen *sv)
{
	enum fitness f = view_fitness(sv);

	json_open(q->out, '{');
	json_set_str(q->out, "service", sv->name);
	json_set_str(q->out, "status", view_fitness_name(f));
	json_set_str(q->out, "state", sv->state);
	json_set_str(q->out, "health", sv->health);
	json_close(q->out, '}');
	if (view_is_usable(f))
		return;
	q->r->status = 503;
	q->r->retry_after = view_retry_s(sv, os_wall_us());
}

void
answer_health(struct query *q)
{
	char err[CLIENT_ERR_LEN];
	struct seen sv;

	if (view_refresh(AGE_MS, err) < 0) {
		answer_words(q, 503, "unknown", "no supervisor answers");
		q->r->retry_after = NO_TREE_S;
	} else if (*q->rest == '\0')
		put_all(q);
	else if (view_find(q->rest, &sv))
		put_one(q, &sv);
	else
		answer_words(q, 404, "not found", "no such service");
}

void
answer_status(struct query *q)
{
	char err[CLIENT_ERR_LEN], none[CLIENT_ERR_LEN];
	const char *text;
	size_t len;

	if (view_refresh(AGE_MS, err) == 0)
		text = view_text(&len);
	else if (view_offline(&text, &len, none) < 0)
		text = NULL;
	if (text != NULL)
		buf_put(q->out, text, len);
	else
		answer_words(q, 503, "unknown", err);
}

/* Of those who name a format, only the older ones name no other. */
static bool
wants_text(const char *accept)
{
	return strstr(accept, "text/plain") != NULL &&
	    strstr(accept, "openmetrics") == NULL;
}

void
answer_metrics(struct query *q)
{
	bool open = !wants_text(q->rq->accept);
	char err[CLIENT_ERR_LEN];

	q->r->type = open ? METRICS_OPEN : METRICS_TEXT;
	metrics_put(q->out, open, view_refresh(AGE_MS, err) == 0,
	    answer_counts());
}
