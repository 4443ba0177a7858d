/* SPDX-License-Identifier: ISC */
/*
 * The questions that are put to a server over HTTP, side by side: which
 * layers have which path is a table, what the answers mean health_body.c's.
 * A deep probe goes beside the rounds, as it may take long, and only to a
 * model that is loaded.
 */
#include <stdio.h>
#include <string.h>

#include "health.h"
#include "http.h"

#define BODY_MAX	(1 << 20)
#define UNLOAD_MS	10000

static const struct {
	const char	*live, *live_else;	/* else: where it is 404 */
	const char	*ready, *sched, *deep;
} paths[SERVER_COUNT] = {
	[SERVER_OLLAMA] = { .ready = "/api/tags", .sched = "/api/ps",
	    .deep = "/api/generate" },
	[SERVER_MLX] = { .live = "/health", .live_else = "/",
	    .ready = "/api/tags", .deep = "/api/generate" },
	[SERVER_OPENAI] = { .live = "/health", .live_else = "/v1/models",
	    .ready = "/v1/models", .deep = "/v1/completions" },
	[SERVER_HTTP] = { .live = "" },
	[SERVER_DOCKER] = { .live = "" },
};

static const char *path_of(const struct target *t, enum layer layer,
    bool *own);

/* What is asked first, at the other address. */
static const char *
also_path(const struct target *t)
{
	const char *path;
	bool own;

	if (t->conf->health->also == NULL)
		return NULL;
	path = path_of(t, LAYER_READY, &own);
	return path != NULL ? path : path_of(t, LAYER_LIVE, &own);
}

/* The path of a layer, NULL: it is not asked. *own: the operator's. */
static const char *
path_of(const struct target *t, enum layer layer, bool *own)
{
	const struct conf_health *h = t->conf->health;
	const char *given = layer == LAYER_LIVE ? h->live :
	    layer == LAYER_READY ? h->ready : NULL;

	*own = given != NULL || layer == LAYER_ALSO;
	if (given != NULL)
		return given;
	switch (layer) {
	case LAYER_LIVE:
		/* A path of readiness that was given says it as well. */
		if (t->server == SERVER_HTTP && h->ready != NULL)
			return NULL;
		return t->live_else ? paths[t->server].live_else :
		    paths[t->server].live;
	case LAYER_READY:
		/* Some lists are slow, and prove nothing: on demand. */
		if (t->server != SERVER_OLLAMA && t->models.nwanted == 0)
			return NULL;
		return paths[t->server].ready;
	case LAYER_SCHED:
		return paths[t->server].sched;
	case LAYER_ALSO:
		return also_path(t);
	case LAYER_DEEP:
		return paths[t->server].deep;
	case LAYER_COUNT:
		break;
	}
	return NULL;
}

/* "GET /api/tags", of an address with or without a path of its own; whole:
 * the address as well */
static void
put_what(struct probe *p, const char *method, const char *url, bool whole)
{
	const char *host = strstr(url, "://"), *path;

	host = host != NULL ? host + 3 : url;
	path = whole ? host : strchr(host, '/');
	(void)snprintf(p->what, sizeof p->what, "%s %.55s", method,
	    path != NULL ? path : "/");
}

static void
set_outcome(struct ask *a, struct probe *p, const struct http_result *r)
{
	struct target *t = a->t;
	struct answer answer = { r->status, r->body, r->len, r->cut };
	enum server server = t->server;
	bool own;

	p->status = r->status;
	p->elapsed_ms = r->elapsed_ms;
	if (server == SERVER_DOCKER) {
		docker_judge(t, p, r);
		return;
	}
	(void)path_of(t, a->layer, &own);
	if (r->status != 0) {
		/* What a path of the operator's says, only its status does. */
		body_judge(own ? SERVER_HTTP : server, a->layer, &answer,
		    &t->models, p);
		if (p->out == OUT_WRONG)
			evidence_keep(t, r->body, r->len);
		return;
	}
	t->evidence[0] = '\0';	/* of an answer: this is none */
	p->out = r->timed_out ? OUT_SILENT : r->refused ? OUT_REFUSED :
	    OUT_BROKEN;
	(void)snprintf(p->detail, sizeof p->detail, "%.95s", r->err);
	/* Another port may be the right one. */
	if (r->refused && a->layer != LAYER_ALSO)
		put_what(p, a->layer == LAYER_DEEP ? "POST" : "GET", a->url,
		    true);
}

static void
round_done(void *arg, const struct http_result *r)
{
	struct ask *a = arg;
	struct target *t = a->t;

	a->id = 0;
	t->pending--;
	set_outcome(a, &t->round.probe[a->layer], r);
}

static void
deep_done(void *arg, const struct http_result *r)
{
	struct ask *a = arg;

	a->id = 0;
	a->t->deep_done = true;
	set_outcome(a, &a->t->deep_round.probe[LAYER_DEEP], r);
}

static int
start(struct ask *a, const char *path, const char *body, int timeout_ms,
    http_done *done, struct probe *p)
{
	struct http_request rq = { .url = a->url, .body = body,
	    .method = body != NULL ? "POST" : NULL, .connect_ms = timeout_ms,
	    .total_ms = timeout_ms, .max_body = BODY_MAX };

	(void)snprintf(a->url, sizeof a->url, "%s%s",
	    a->layer == LAYER_ALSO ? a->t->conf->health->also : a->t->base,
	    path);
	if (p != NULL && a->layer == LAYER_ALSO)
		(void)snprintf(p->what, sizeof p->what, "at %.55s",
		    a->t->conf->health->also);
	else if (p != NULL && a->t->server == SERVER_DOCKER)
		(void)snprintf(p->what, sizeof p->what, "container %.50s",
		    a->t->conf->container->name);
	else if (p != NULL)
		put_what(p, body != NULL ? "POST" : "GET", a->url, false);
	if (a->t->server == SERVER_DOCKER &&
	    (rq.unix_socket = docker_ask_socket(a->t)) == NULL) {
		if (p != NULL)
			docker_no_engine(p);
		return -1;
	}
	a->id = http_start(&rq, done, NULL, a);
	if (a->id > 0)
		return 0;
	a->id = 0;
	return -1;
}

void
ask_round(struct target *t, int64_t now_ms)
{
	const char *path;
	bool own;
	int i;

	(void)now_ms;
	for (i = 0; i < LAYER_DEEP; i++) {
		if ((path = path_of(t, (enum layer)i, &own)) == NULL)
			continue;
		if (start(&t->ask[i], path, NULL, (int)t->rules.timeout_ms,
		    round_done, &t->round.probe[i]) == 0)
			t->pending++;
	}
}

bool
ask_other_path(struct target *t)
{
	if (t->live_else || t->conf->health->live != NULL ||
	    paths[t->server].live_else == NULL ||
	    t->round.probe[LAYER_LIVE].status != 404)
		return false;
	t->live_else = true;
	return true;
}

/* A server that tells what is loaded is asked for that alone, so that no
 * probe loads a model; of one that does not, the operator names it. */
static const char *
deep_model(const struct target *t)
{
	if (t->server == SERVER_OLLAMA)
		return t->models.loaded[0] != '\0' ? t->models.loaded : NULL;
	return t->models.nwanted > 0 ? t->models.wanted[0] : NULL;
}

int
ask_deep(struct target *t, int64_t now_ms)
{
	const char *model = deep_model(t);
	char body[256];
	bool own;

	if (model == NULL || body_put_deep(t->server, model, body,
	    sizeof body) < 0)
		return -1;
	t->deep_round = (struct round){ .now_ms = now_ms };
	return start(&t->ask[LAYER_DEEP], path_of(t, LAYER_DEEP, &own), body,
	    (int)t->rules.deep_timeout_ms, deep_done,
	    &t->deep_round.probe[LAYER_DEEP]);
}

static void
unload_done(void *arg, const struct http_result *r)
{
	struct ask *a = arg;

	(void)r;	/* the next rounds tell whether it helped */
	a->id = 0;
}

void
ask_unload(struct target *t)
{
	char body[256];

	if (t->unload.id != 0 || t->models.loaded[0] == '\0' ||
	    body_put_unload(t->models.loaded, body, sizeof body) < 0)
		return;
	(void)start(&t->unload, paths[t->server].deep, body, UNLOAD_MS,
	    unload_done, NULL);
}

void
ask_cancel(struct target *t)
{
	int i;

	for (i = 0; i < LAYER_COUNT; i++)
		if (t->ask[i].id != 0) {
			http_cancel(t->ask[i].id);
			t->ask[i].id = 0;
		}
	if (t->unload.id != 0)
		http_cancel(t->unload.id);
	t->unload.id = 0;
	t->pending = 0;
	t->deep_running = t->deep_done = t->deep_said = false;
}
