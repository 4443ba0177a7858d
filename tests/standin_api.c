/* SPDX-License-Identifier: ISC */
/*
 * The endpoints that llm-standin imitates, with the shapes of the real ones:
 * Ollama's API, the FastAPI MLX server's, and that of servers with OpenAI's
 * paths. Knows no socket.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "standin.h"

#define KEEP_ALIVE_MS	300000
#define FOR_EVER_US	((int64_t)9000000000 * 1000000)
#define SIZE		1321098329	/* bytes of every model */
#define DIGEST		"baf6a787fdffd633537aa2eb51cfd54cb93ff08e28040095462b" \
			"b63daf552878"

struct call {
	struct standin	*s;
	const struct request *rq;
	struct answer	*a;
	struct json	 json;
	struct json_tok	 tok[256];
	bool		 parsed;
};

static int64_t
wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void
error_text(struct call *c, int status, const char *text)
{
	c->a->status = status;
	buf_reset(c->a->body);
	json_open(c->a->body, '{');
	json_set_str(c->a->body, "error", text);
	json_close(c->a->body, '}');
}

static void
plain(struct call *c, const char *text)
{
	c->a->text = true;
	buf_puts(c->a->body, text);
}

/* --- models */

static void
expire(struct standin *s)
{
	int64_t now = standin_now_ms();
	int i;

	for (i = 0; i < s->nmodels; i++)
		if (s->model[i].expires_ms > 0 &&
		    s->model[i].expires_ms <= now)
			s->model[i].expires_ms = 0;
}

/* The model that the request names; llama3.2 is llama3.2:latest as well. */
static struct model *
named(struct call *c, char *name, size_t cap)
{
	char full[80];
	int i;

	name[0] = '\0';
	if (c->parsed)
		(void)json_str(&c->json, json_get(&c->json, 0, "model"), name,
		    cap);
	(void)snprintf(full, sizeof full, "%s:latest", name);
	for (i = 0; i < c->s->nmodels; i++)
		if (strcmp(c->s->model[i].name, name) == 0 ||
		    strcmp(c->s->model[i].name, full) == 0)
			return &c->s->model[i];
	return NULL;
}

static void
put_details(struct buf *b)
{
	json_key(b, "details");
	json_open(b, '{');
	json_set_str(b, "parent_model", "");
	json_set_str(b, "format", "gguf");
	json_set_str(b, "family", "llama");
	json_key(b, "families");
	json_open(b, '[');
	json_put_str(b, "llama");
	json_close(b, ']');
	json_set_str(b, "parameter_size", "1.2B");
	json_set_str(b, "quantization_level", "Q8_0");
	json_close(b, '}');
}

static void
put_model(struct call *c, const struct model *m)
{
	struct buf *b = c->a->body;

	json_open(b, '{');
	json_set_str(b, "name", m->name);
	json_set_str(b, "model", m->name);
	json_set_str(b, "modified_at", "2026-01-02T03:04:05.678901Z");
	json_set_int(b, "size", SIZE);
	json_set_str(b, "digest", DIGEST);
	put_details(b);
	json_close(b, '}');
}

static void
tags(struct call *c)
{
	struct buf *b = c->a->body;
	int i;

	c->s->tags++;
	json_open(b, '{');
	json_key(b, "models");
	json_open(b, '[');
	for (i = 0; i < c->s->nmodels && c->s->fault != FAULT_EMPTY; i++)
		put_model(c, &c->s->model[i]);
	json_close(b, ']');
	json_close(b, '}');
}

static void
put_loaded(struct call *c, const struct model *m)
{
	struct buf *b = c->a->body;

	json_open(b, '{');
	json_set_str(b, "name", m->name);
	json_set_str(b, "model", m->name);
	json_set_int(b, "size", SIZE);
	json_set_str(b, "digest", DIGEST);
	put_details(b);
	json_set_time(b, "expires_at", m->expires_us != 0 ? m->expires_us :
	    FOR_EVER_US);
	json_set_int(b, "size_vram", c->s->fault == FAULT_CPU ? 0 : SIZE);
	json_set_int(b, "context_length", 4096);
	json_close(b, '}');
}

static void
ps(struct call *c)
{
	struct buf *b = c->a->body;
	int i;

	c->s->ps++;
	c->a->silent = c->s->fault == FAULT_WEDGE;
	json_open(b, '{');
	json_key(b, "models");
	json_open(b, '[');
	for (i = 0; i < c->s->nmodels; i++)
		if (c->s->model[i].expires_ms != 0)
			put_loaded(c, &c->s->model[i]);
	json_close(b, ']');
	json_close(b, '}');
}

/* --- inference */

/* "10m", "-1s", 300: as the request says, in ms; the default without. */
static int64_t
keep_alive(const struct call *c, bool *given)
{
	int v = json_get(&c->json, 0, "keep_alive");
	char word[32], *unit;
	int64_t n;

	*given = json_kind(&c->json, v) == JSON_NUMBER ||
	    json_kind(&c->json, v) == JSON_STRING;
	if (json_int(&c->json, v, &n) == 0)
		return n < 0 ? -1 : n * 1000;
	if (json_str(&c->json, v, word, sizeof word) < 0)
		return KEEP_ALIVE_MS;
	n = strtoll(word, &unit, 10);
	return n < 0 ? -1 : n * (*unit == 'h' ? 3600000 : *unit == 'm' ?
	    60000 : 1000);
}

static void
put_stamp(struct call *c, const char *model)
{
	json_open(c->a->body, '{');
	json_set_str(c->a->body, "model", model);
	json_set_time(c->a->body, "created_at", wall_us());
}

static void
put_generated(struct call *c, const char *model)
{
	struct buf *b = c->a->body;

	put_stamp(c, model);
	json_set_str(b, "response", "1");
	json_set_bool(b, "done", true);
	json_set_str(b, "done_reason", "length");
	json_set_int(b, "total_duration", 31415926);
	json_set_int(b, "load_duration", 2718281);
	json_set_int(b, "prompt_eval_count", 1);
	json_set_int(b, "prompt_eval_duration", 1414213);
	json_set_int(b, "eval_count", 1);
	json_set_int(b, "eval_duration", 1732050);
	json_close(b, '}');
}

static void
put_loading(struct call *c, const char *model, const char *why)
{
	put_stamp(c, model);
	json_set_str(c->a->body, "response", "");
	json_set_bool(c->a->body, "done", true);
	json_set_str(c->a->body, "done_reason", why);
	json_close(c->a->body, '}');
}

/* What every inference has in common. The model, or NULL: answered. */
static struct model *
begin(struct call *c)
{
	struct model *m;
	char name[64], text[128];
	bool given;
	int64_t keep;

	c->s->inference++;
	(void)snprintf(c->s->last, sizeof c->s->last, "%.*s",
	    (int)(c->rq->len < 500 ? c->rq->len : 500), c->rq->body);
	if (!c->parsed) {
		error_text(c, 400, "invalid JSON");
		return NULL;
	}
	if (c->s->fault == FAULT_WEDGE) {
		c->a->silent = true;
		return NULL;
	}
	if (c->s->fault == FAULT_GENERATE_FAILS) {
		/* As Ollama: a request that fails was a use, too. */
		if ((m = named(c, name, sizeof name)) != NULL &&
		    m->expires_ms > 0)
			m->expires_us = wall_us() + 300000000;
		error_text(c, 500, "llama runner process has terminated: "
		    "exit status 2");
		return NULL;
	}
	if ((m = named(c, name, sizeof name)) == NULL) {
		(void)snprintf(text, sizeof text, "model '%s' not found",
		    name);
		error_text(c, 404, text);
		return NULL;
	}
	keep = keep_alive(c, &given);
	m->expires_ms = keep > 0 ? standin_now_ms() + keep : keep;
	m->expires_us = keep > 0 ? wall_us() + keep * 1000 : 0;
	return m;
}

static void
generate(struct call *c)
{
	char prompt[16];
	struct model *m = begin(c);
	int v;

	if (m == NULL)
		return;
	v = json_get(&c->json, 0, "prompt");
	if (json_kind(&c->json, v) == JSON_ABSENT ||
	    (json_str(&c->json, v, prompt, sizeof prompt) == 0 &&
	    prompt[0] == '\0'))
		put_loading(c, m->name, m->expires_ms == 0 ? "unload" :
		    "load");
	else
		put_generated(c, m->name);
	buf_putc(c->a->body, '\n');
}

static void
embed(struct call *c)
{
	struct model *m = begin(c);
	struct buf *b = c->a->body;

	if (m == NULL)
		return;
	json_open(b, '{');
	json_set_str(b, "model", m->name);
	json_key(b, "embeddings");
	json_open(b, '[');
	json_close(b, ']');
	json_close(b, '}');
}

/* --- Ollama alone */

static void
root(struct call *c)
{
	if (c->s->mode == MODE_OLLAMA) {
		plain(c, "Ollama is running");
		return;
	}
	json_open(c->a->body, '{');
	json_set_str(c->a->body, "status", "online");
	json_set_str(c->a->body, "service", "MLX API Server");
	json_close(c->a->body, '}');
}

static void
version(struct call *c)
{
	json_open(c->a->body, '{');
	json_set_str(c->a->body, "version", "0.14.2");
	json_close(c->a->body, '}');
}

/* --- the MLX server and OpenAI's paths */

static void
health(struct call *c)
{
	const char *word = c->s->mode == MODE_OPENAI ? "ok" : "healthy";

	if (c->s->fault == FAULT_STATUS)
		word = c->s->word;
	json_open(c->a->body, '{');
	json_set_str(c->a->body, "status", word);
	json_close(c->a->body, '}');
}

static void
list_models(struct call *c)
{
	struct buf *b = c->a->body;
	int i;

	c->s->tags++;
	json_open(b, '{');
	json_set_str(b, "object", "list");
	json_key(b, "data");
	json_open(b, '[');
	for (i = 0; i < c->s->nmodels && c->s->fault != FAULT_EMPTY; i++) {
		json_open(b, '{');
		json_set_str(b, "id", c->s->model[i].name);
		json_set_str(b, "object", "model");
		json_set_int(b, "created", 1767323045);
		json_close(b, '}');
	}
	json_close(b, ']');
	json_close(b, '}');
}

static void
complete(struct call *c)
{
	struct model *m = begin(c);
	struct buf *b = c->a->body;

	if (m == NULL)
		return;
	json_open(b, '{');
	json_set_str(b, "id", "cmpl-1");
	json_set_str(b, "object", "text_completion");
	json_set_int(b, "created", 1767323045);
	json_set_str(b, "model", m->name);
	json_key(b, "choices");
	json_open(b, '[');
	json_open(b, '{');
	json_set_int(b, "index", 0);
	json_set_str(b, "text", "1");
	json_key(b, "logprobs");
	json_put_null(b);
	json_set_str(b, "finish_reason", "length");
	json_close(b, '}');
	json_close(b, ']');
	json_key(b, "usage");
	json_open(b, '{');
	json_set_int(b, "prompt_tokens", 1);
	json_set_int(b, "completion_tokens", 1);
	json_set_int(b, "total_tokens", 2);
	json_close(b, '}');
	json_close(b, '}');
}

#define IN(mode)	(1u << (mode))
#define OLLAMA		IN(MODE_OLLAMA)
#define MLX		IN(MODE_MLX)
#define OPENAI		IN(MODE_OPENAI)

static const struct {
	const char	*method, *path;
	unsigned	 modes;
	void		(*run)(struct call *);
} routes[] = {
	{ "GET", "/", OLLAMA | MLX, root },
	{ "GET", "/api/version", OLLAMA, version },
	{ "GET", "/api/tags", OLLAMA | MLX, tags },
	{ "GET", "/api/ps", OLLAMA, ps },
	{ "POST", "/api/generate", OLLAMA | MLX, generate },
	{ "POST", "/api/embed", OLLAMA, embed },
	{ "GET", "/health", MLX | OPENAI, health },
	{ "GET", "/v1/models", OLLAMA | OPENAI, list_models },
	{ "POST", "/v1/completions", OPENAI, complete },
};

static void
route(struct call *c)
{
	size_t i;

	for (i = 0; i < nitems(routes); i++)
		if ((routes[i].modes & IN(c->s->mode)) != 0 &&
		    strcmp(routes[i].method, c->rq->method) == 0 &&
		    strcmp(routes[i].path, c->rq->path) == 0) {
			routes[i].run(c);
			return;
		}
	c->s->other++;
	c->a->status = 404;
	if (c->s->mode == MODE_OLLAMA)
		plain(c, "404 page not found");
	else
		buf_puts(c->a->body, "{\"detail\":\"Not Found\"}");
}

static void
overload(struct call *c)
{
	c->a->status = c->s->busy_status;
	if (c->s->mode == MODE_OLLAMA)
		error_text(c, c->a->status, "server busy, please try again.  "
		    "maximum pending requests exceeded");
	else
		buf_puts(c->a->body, "{\"detail\":\"Server busy\"}");
}

static void
still_loading(struct call *c)
{
	c->a->status = 503;
	buf_puts(c->a->body, "{\"error\":{\"message\":\"Loading model\","
	    "\"type\":\"unavailable_error\",\"code\":503}}");
}

void
api_answer(struct standin *s, const struct request *rq, struct answer *a)
{
	struct call c = { .s = s, .rq = rq, .a = a };
	char err[JSON_ERR_LEN];

	expire(s);
	c.parsed = rq->len > 0 && json_parse(&c.json, rq->body, rq->len,
	    c.tok, nitems(c.tok), err) == 0;
	switch (s->fault) {
	case FAULT_HANG:
		a->silent = true;
		return;
	case FAULT_BUSY:
		overload(&c);
		return;
	case FAULT_LOADING:
		still_loading(&c);
		return;
	case FAULT_ERROR:
		error_text(&c, 500, "internal error");
		return;
	case FAULT_SLOW:
		a->delay_ms = s->slow_ms;
		break;
	case FAULT_NONE:
	case FAULT_EMPTY:
	case FAULT_GENERATE_FAILS:
	case FAULT_WEDGE:
	case FAULT_CPU:
	case FAULT_STATUS:
	case FAULT_COUNT:
		break;
	}
	route(&c);
}
