/* SPDX-License-Identifier: ISC */
/*
 * The status page: its files, which are part of the program, the stream that
 * keeps it up to date, logs, and what a person may do from there.
 */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "buf.h"
#include "feed.h"
#include "history.h"
#include "json.h"
#include "log.h"
#include "os.h"
#include "page_text.h"
#include "probes.h"
#include "view.h"

#define LINES		100
#define LINES_MAX	1000
#define LOG_MAX		(128 * 1024)
#define AGE_MS		20

static const char policy[] = "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

static void
put_file(struct query *q, const char *type, const char *const *line)
{
	q->r->type = type;
	q->r->policy = policy;
	for (; *line != NULL; line++)
		buf_puts(q->out, *line);
}

void
answer_html(struct query *q)
{
	put_file(q, "text/html; charset=utf-8", page_html);
}

void
answer_css(struct query *q)
{
	put_file(q, "text/css; charset=utf-8", page_css);
}

void
answer_js(struct query *q)
{
	put_file(q, "text/javascript; charset=utf-8", page_js);
}

void
answer_events(struct query *q)
{
	char mem[256];
	struct buf b;

	if (web_streams() >= WEB_STREAMS) {
		q->r->retry_after = 10;
		answer_words(q, 503, "refused", "too many pages are open");
		return;
	}
	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_set_bool(&b, "supervisor", feed_is_live());
	json_set_str(&b, "actions", q->o->tokens.n > 0 ? "token" : "none");
	json_set_bool(&b, "trusted", q->trusted);
	json_close(&b, '}');
	q->r->type = "text/event-stream";
	q->r->stream = true;
	buf_puts(q->out, "retry: 2000\n");
	feed_message(q->out, "hello", b.base, b.len);
}

void
answer_incidents(struct query *q)
{
	feed_put_incidents(q->out);
}

void
answer_availability(struct query *q)
{
	history_put(q->out, os_wall_us());
}

void
answer_latency(struct query *q)
{
	probes_refresh();
	probes_put(q->out, os_wall_us() / 1000000);
}

/* The last lines of what was read; the first one of it may be cut. */
static const char *
last_lines(const char *text, size_t n, long lines)
{
	const char *at = text + n;

	while (at > text && lines >= 0) {
		at--;
		if (*at == '\n')
			lines--;
	}
	return lines < 0 ? at + 1 : text;
}

void
answer_log(struct query *q)
{
	const char *dir = getenv("SVTREE_LOG"), *word, *start;
	static char text[LOG_MAX];
	char err[CLIENT_ERR_LEN];
	long lines = LINES;
	struct seen sv;
	size_t n;

	if ((word = web_query(q->rq, "n")) != NULL)
		lines = strtol(word, NULL, 10);
	if (lines < 1 || lines > LINES_MAX) {
		answer_words(q, 400, "refused", "n is a number from 1 to "
		    "1000");
		return;
	}
	if (*q->rest == '\0' || strchr(q->rest, '/') != NULL ||
	    q->rest[0] == '.' || (view_refresh(AGE_MS, err) == 0 &&
	    !view_find(q->rest, &sv) && strcmp(q->rest, "svtree") != 0)) {
		answer_words(q, 404, "not found", "no such service");
		return;
	}
	n = dir != NULL ? view_log(dir, q->rest, text, sizeof text) : 0;
	if (n == 0) {
		answer_words(q, 404, "not found", "there is no log, or it "
		    "is not for this program to read");
		return;
	}
	start = last_lines(text, n, lines);
	q->r->type = "text/plain; charset=utf-8";
	buf_put(q->out, start, n - (size_t)(start - text));
}

/* A person's word, so what gave up is started afresh. */
void
answer_restart(struct query *q)
{
	char err[CLIENT_ERR_LEN] = "";
	const char *method = "Restart";
	struct seen sv;

	if (q->o->tokens.n == 0) {
		answer_words(q, 403, "refused", "actions want a token, and "
		    "recovery-listener was given none");
		return;
	}
	if (view_refresh(0, err) < 0) {
		answer_words(q, 503, "unknown", err);
		return;
	}
	if (!view_find(q->rest, &sv)) {
		answer_words(q, 404, "not found", "no such service");
		return;
	}
	if (!sv.enabled) {
		answer_words(q, 409, "refused", "it is disabled: "
		    "svctl enable");
		return;
	}
	if (sv.pid == 0)
		method = "Start";
	if (view_call(method, sv.name, sv.pid != 0 ?
	    "restarted from the status page" : NULL, NULL, err) < 0) {
		answer_words(q, 502, "error", err);
		return;
	}
	log_info("%s of %s from the status page", method, sv.name);
	answer_words(q, 202, "asked", NULL);
}
