/* SPDX-License-Identifier: ISC */
/*
 * POST /recover: the body is echoed and believed in nothing else; whether a
 * recovery begins is decided by what the supervisor says. Answers at once.
 */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "buf.h"
#include "json.h"
#include "log.h"
#include "metrics.h"
#include "os.h"
#include "pace.h"
#include "view.h"

#define AGE_MS		20	/* a hundred at once read one status */
#define TOKENS		1024

static struct pace pace;
static struct counts counts;

void
answer_limited(void)
{
	counts.limited++;
}

void
answer_refused(void)
{
	counts.refused++;
}

const struct counts *
answer_counts(void)
{
	return &counts;
}

/* What is down as nothing but a recovery, or time, will change it. */
static void
put_ill(void *arg, const struct seen *sv)
{
	enum fitness f = view_fitness(sv);

	if (view_counts(sv) && (f == FIT_DOWN || f == FIT_FAILING))
		buf_printf(arg, "%s,", sv->name);
}

static void
look(struct situation *s, const struct answer_opts *o, struct buf *ill)
{
	struct seen sv;

	buf_putc(ill, ',');
	view_services(put_ill, ill);
	s->ill = buf_cstr(ill);
	if (!view_find(o->service, &sv))
		return;
	s->running = strcmp(sv.state, "DOWN") != 0 &&
	    strcmp(sv.state, "TRIPPED") != 0 &&
	    strcmp(sv.state, "BACKOFF") != 0;
	s->in_vain = sv.exit_kind[0] != '\0' &&
	    (strcmp(sv.exit_kind, "exit") != 0 || sv.exit_code != 0);
}

/* Starts a recovery when it is time for one. 0: one is, or was just, under
 * way; -1 with a reason in err. */
static int
recover(const struct answer_opts *o, bool *joined, char *err)
{
	struct situation s = { .running = false };
	bool started = true;
	char mem[PACE_ILL_MAX];
	struct buf ill;

	buf_init(&ill, mem, sizeof mem);
	if (view_refresh(AGE_MS, err) < 0)
		return -1;
	look(&s, o, &ill);
	*joined = true;
	if (pace_decide(&pace, &s, o->cooldown_ms, os_now_ms()) != PACE_START)
		return 0;
	if (view_call("Once", o->service, NULL, &started, err) < 0)
		return -1;
	*joined = !started;
	if (started) {
		pace_started(&pace, &s, os_now_ms());
		log_info("a recovery was asked for and begins%s%s",
		    s.ill[1] != '\0' ? "; down: " : "",
		    s.ill[1] != '\0' ? s.ill + 1 : "");
	}
	return 0;
}

/* The caller's own word, as it was written; true when it has none. */
static void
echo(struct buf *b, const struct json *j, const char *name)
{
	int v = j != NULL ? json_get(j, 0, name) : -1;
	const char *raw;
	size_t len;

	buf_printf(b, "\"%s\": ", name);
	if (v < 0) {
		buf_puts(b, "true");
		return;
	}
	raw = json_raw(j, v, &len);
	buf_put(b, raw, len);
}

void
answer_recover(struct query *q)
{
	static struct json_tok tok[TOKENS];
	char err[CLIENT_ERR_LEN] = "", why[JSON_ERR_LEN];
	bool joined = false, good;
	struct json j;
	bool parsed = json_parse(&j, q->rq->body, q->rq->len, tok, TOKENS,
	    why) == 0;

	good = recover(q->o, &joined, err) == 0;
	if (!good)
		counts.failed++;
	else if (joined)
		counts.joined++;
	else
		counts.started++;
	/* In the spaces of the listener that this one replaces. */
	buf_printf(q->out, "{\"ok\": true, \"recovery_triggered\": %s, ",
	    good ? "true" : "false");
	echo(q->out, parsed ? &j : NULL, "ollama");
	buf_puts(q->out, ", ");
	echo(q->out, parsed ? &j : NULL, "mlx");
	buf_printf(q->out, ", \"status\": \"%s\"", good ?
	    "recovery_initiated" : "recovery_unavailable");
	if (joined)
		buf_puts(q->out, ", \"coalesced\": true");
	if (!good) {
		buf_puts(q->out, ", \"reason\":");
		json_put_str(q->out, err);
		log_warnx("a recovery was asked for and cannot begin: %s",
		    err);
	}
	buf_putc(q->out, '}');
}
