/* SPDX-License-Identifier: ISC */
/*
 * Reads the answers of LLM servers: lists of models, words of health, errors.
 * A table says who reads what; 503 and 429 are busy whoever says them. What
 * cannot be read is not good, but an answer for all that.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "health_body.h"
#include "json.h"

#define TOKENS		32768

struct reading {
	const struct answer *a;
	struct models	*m;
	struct probe	*p;
	struct json	 json;
};

static struct json_tok tokens[TOKENS];

/* The begin of the body in one line of printable ASCII. */
static void
put_start(const struct answer *a, char *dst, size_t cap)
{
	size_t i, n = 0;
	char c;

	for (i = 0; i < a->len && n + 1 < cap; i++) {
		c = a->body[i];
		if (c == '\n' || c == '\r' || c == '\t')
			c = ' ';
		if (c < ' ' || c > '~')
			c = '?';
		if (c != ' ' || (n > 0 && dst[n - 1] != ' '))
			dst[n++] = c;
	}
	dst[n] = '\0';
}

static void
say(struct reading *r, enum outcome out, const char *detail)
{
	r->p->out = out;
	if (detail != NULL)
		(void)snprintf(r->p->detail, sizeof r->p->detail, "%s",
		    detail);
	else
		put_start(r->a, r->p->detail, sizeof r->p->detail);
}

/* --- lists of models */

/* "llama3.2" is meant when "llama3.2:latest" is there, as Ollama reads it. */
static bool
is_model(const struct json *j, int entry, const char *key, const char *name)
{
	char has[160], full[160];

	if (json_str(j, json_get(j, entry, key), has, sizeof has) < 0)
		return false;
	(void)snprintf(full, sizeof full, "%s:latest", name);
	return strcmp(has, name) == 0 || strcmp(has, full) == 0;
}

static bool
is_listed(const struct reading *r, int list, const char *key,
    const char *name)
{
	int v;

	for (v = json_first(&r->json, list); v >= 0;
	    v = json_next(&r->json, list, v))
		if (is_model(&r->json, v, key, name))
			return true;
	return false;
}

static void
read_list(struct reading *r, const char *list_key, const char *name_key)
{
	int list = json_get(&r->json, 0, list_key), i, n;
	char text[96];

	if (json_kind(&r->json, list) != JSON_ARRAY) {
		say(r, OUT_WRONG, NULL);
		return;
	}
	n = json_count(&r->json, list);
	if (n == 0) {
		say(r, OUT_EMPTY, "no model");
		return;
	}
	for (i = 0; i < r->m->nwanted; i++)
		if (!is_listed(r, list, name_key, r->m->wanted[i])) {
			(void)snprintf(text, sizeof text, "%.60s is not "
			    "there, %d other%s", r->m->wanted[i], n,
			    n == 1 ? "" : "s");
			say(r, OUT_MISSING, text);
			return;
		}
	(void)snprintf(text, sizeof text, "%d model%s", n, n == 1 ? "" : "s");
	say(r, OUT_OK, text);
}

static void
read_tags(struct reading *r)
{
	read_list(r, "models", "name");
}

static void
read_v1_models(struct reading *r)
{
	read_list(r, "data", "id");
}

/* --- /api/ps: what is loaded, and how much of it on the GPU */

static void
read_ps(struct reading *r)
{
	int list = json_get(&r->json, 0, "models"), v;
	int64_t size, vram;
	char name[96], text[96];

	if (json_kind(&r->json, list) != JSON_ARRAY) {
		say(r, OUT_WRONG, NULL);
		return;
	}
	say(r, OUT_OK, "");
	r->m->nloaded = json_count(&r->json, list);
	r->m->loaded[0] = r->m->expires[0] = '\0';
	for (v = json_first(&r->json, list); v >= 0;
	    v = json_next(&r->json, list, v)) {
		if (json_str(&r->json, json_get(&r->json, v, "name"), name,
		    sizeof name) < 0)
			continue;
		if (r->m->loaded[0] == '\0') {
			(void)memcpy(r->m->loaded, name, sizeof name);
			(void)json_str(&r->json, json_get(&r->json, v,
			    "expires_at"), r->m->expires,
			    sizeof r->m->expires);
		}
		if (json_int(&r->json, json_get(&r->json, v, "size"),
		    &size) < 0 || size <= 0 ||
		    json_int(&r->json, json_get(&r->json, v, "size_vram"),
		    &vram) < 0 || vram >= size)
			continue;
		(void)snprintf(text, sizeof text, "%.48s is only %d %% on "
		    "the GPU", name, (int)(vram * 100 / size));
		say(r, OUT_DEGRADED, text);
	}
}

/* --- words of health */

static const struct {
	const char	*word;
	enum outcome	 out;
	const char	*detail;
} healths[] = {
	{ "healthy", OUT_OK, "" },
	{ "ok", OUT_OK, "" },
	{ "online", OUT_OK, "" },
	{ "warning", OUT_DEGRADED, "says warning: little memory" },
	{ "critical", OUT_DEGRADED, "says critical: no memory left" },
	/* All slots of the FastAPI server are taken. */
	{ "degraded", OUT_BUSY, "says degraded: all slots are busy" },
	{ "no slot available", OUT_BUSY, "no slot available" },
	{ "loading", OUT_LOADING, "says loading" },
	{ "loading model", OUT_LOADING, "says loading" },
};

static void
read_health(struct reading *r)
{
	char word[24], text[64];
	size_t i;

	/* An answer without such a word is good: it was 200. */
	if (json_str(&r->json, json_get(&r->json, 0, "status"), word,
	    sizeof word) < 0) {
		say(r, OUT_OK, "");
		return;
	}
	for (i = 0; i < nitems(healths); i++)
		if (strcmp(healths[i].word, word) == 0) {
			say(r, healths[i].out, healths[i].detail);
			return;
		}
	(void)snprintf(text, sizeof text, "says %s", word);
	say(r, OUT_DEGRADED, text);
}

/* Both end well with an object; an error may come after 200. */
static void
read_token(struct reading *r)
{
	if (json_get(&r->json, 0, "error") >= 0)
		say(r, OUT_WRONG, NULL);
	else
		say(r, OUT_OK, "");
}

/* NULL: a good status is all that counts. */
static void (*const readers[SERVER_COUNT][LAYER_COUNT])(struct reading *) = {
	[SERVER_OLLAMA] = { [LAYER_READY] = read_tags,
	    [LAYER_SCHED] = read_ps, [LAYER_DEEP] = read_token },
	[SERVER_MLX] = { [LAYER_LIVE] = read_health,
	    [LAYER_READY] = read_tags, [LAYER_DEEP] = read_token },
	[SERVER_OPENAI] = { [LAYER_LIVE] = read_health,
	    [LAYER_READY] = read_v1_models, [LAYER_DEEP] = read_token },
};

static bool
contains(const struct answer *a, const char *word)
{
	size_t n = strlen(word), i;

	for (i = 0; i + n <= a->len; i++)
		if (memcmp(a->body + i, word, n) == 0)
			return true;
	return false;
}

/* 503, 429, and what else is no 2xx. */
static void
judge_status(struct reading *r)
{
	int status = r->a->status;

	if (status == 503 && contains(r->a, "oading model"))
		say(r, OUT_LOADING, NULL);
	else if (status == 503 || status == 429)
		say(r, OUT_BUSY, NULL);
	else
		say(r, OUT_WRONG, NULL);
}

void
body_judge(enum server server, enum layer layer, const struct answer *a,
    struct models *m, struct probe *p)
{
	struct reading r = { .a = a, .m = m, .p = p };
	void (*reader)(struct reading *) = readers[server][layer];
	char err[JSON_ERR_LEN];

	/* A redirect is an answer of a web server that works. */
	if (a->status < 200 || a->status >= 400) {
		judge_status(&r);
		return;
	}
	if (reader == NULL || a->cut) {
		say(&r, OUT_OK, "");
		return;
	}
	if (json_parse(&r.json, a->body, a->len, tokens, TOKENS, err) == 0)
		reader(&r);
	else if (layer == LAYER_LIVE)
		say(&r, OUT_OK, "");	/* a plain "ok" */
	else
		say(&r, OUT_WRONG, NULL);
}

/* --- requests */

int
body_put_deep(enum server server, const char *model, char *dst, size_t cap)
{
	struct buf b;

	buf_init(&b, dst, cap);
	json_open(&b, '{');
	json_set_str(&b, "model", model);
	json_set_str(&b, "prompt", "1");
	json_set_bool(&b, "stream", false);
	if (server == SERVER_OPENAI) {
		json_set_int(&b, "max_tokens", 1);
	} else {
		json_set_bool(&b, "think", false);
		json_key(&b, "options");
		json_open(&b, '{');
		json_set_int(&b, "num_predict", 1);
		json_close(&b, '}');
	}
	json_close(&b, '}');
	(void)buf_cstr(&b);
	return b.overflow ? -1 : 0;
}

int
body_put_unload(const char *model, char *dst, size_t cap)
{
	struct buf b;

	buf_init(&b, dst, cap);
	json_open(&b, '{');
	json_set_str(&b, "model", model);
	json_set_int(&b, "keep_alive", 0);
	json_close(&b, '}');
	(void)buf_cstr(&b);
	return b.overflow ? -1 : 0;
}

