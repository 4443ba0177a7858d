/* SPDX-License-Identifier: ISC */
/*
 * Every request passes here: form, host, origin, token, rate; then a table of
 * routes says who answers it.
 */
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "buf.h"
#include "json.h"
#include "os.h"
#include "pace.h"

#define OUT_MAX		(6 * 1024 * 1024)
#define POST_BURST	200	/* a hundred at once are no attack */
#define POST_RATE	5	/* a second */
#define WRONG_BURST	20	/* tokens */
#define WRONG_RATE	1

enum verb { VERB_GET, VERB_POST };

struct route {
	enum verb	 verb;
	const char	*path;
	bool		 more;		/* a name may follow */
	bool		 detail;	/* tells more than "it works" */
	void		(*run)(struct query *q);
};

static const struct route routes[] = {
	{ VERB_GET,	"/",		false,	false,	answer_root },
	{ VERB_GET,	"/recover",	false,	false,	answer_root },
	{ VERB_GET,	"/health",	true,	false,	answer_health },
	{ VERB_GET,	"/healthz",	false,	false,	answer_healthz },
	{ VERB_GET,	"/status",	false,	true,	answer_status },
	{ VERB_GET,	"/metrics",	false,	true,	answer_metrics },
	{ VERB_GET,	"/page.css",	false,	false,	answer_css },
	{ VERB_GET,	"/page.js",	false,	false,	answer_js },
	{ VERB_GET,	"/events",	false,	true,	answer_events },
	{ VERB_GET,	"/incidents",	false,	true,	answer_incidents },
	{ VERB_GET,	"/availability", false,	true,	answer_availability },
	{ VERB_GET,	"/latency",	false,	true,	answer_latency },
	{ VERB_GET,	"/log",		true,	true,	answer_log },
	{ VERB_POST,	"/restart",	true,	true,	answer_restart },
};

static struct answer_opts *opts;
static char out_mem[OUT_MAX];
static struct buf out;
static struct bucket posts, wrong;

void
answer_open(struct answer_opts *o)
{
	opts = o;
}

void
answer_words(struct query *q, int code, const char *status,
    const char *reason)
{
	q->r->status = code;
	json_open(q->out, '{');
	json_set_str(q->out, "status", status);
	if (reason != NULL)
		json_set_str(q->out, "reason", reason);
	json_close(q->out, '}');
}

/* Does the request have a form that can be trusted to mean one thing? */
static bool
is_well_formed(struct query *q)
{
	const struct web_request *rq = q->rq;

	if (rq->chunked)
		answer_words(q, 400, "refused", "Transfer-Encoding is not "
		    "taken: send Content-Length");
	else if (rq->doubled)
		answer_words(q, 400, "refused",
		    "a header stands twice or is malformed");
	else if (rq->too_long)
		answer_words(q, 413, "refused",
		    "the body is longer than 4096 bytes");
	else if (rq->host[0] == '\0' && !rq->old)
		answer_words(q, 400, "refused", "Host is missing");
	else if (rq->host[0] != '\0' && !guard_host(&q->o->hosts, rq->host))
		answer_words(q, 421, "refused", "this is not that host: "
		    "allow its name by --allow-host");
	else
		return true;
	return false;
}

static bool
is_within_rate(struct query *q, struct bucket *b, int burst, int rate)
{
	int retry_s;

	if (bucket_take(b, burst, rate, os_now_ms(), &retry_s))
		return true;
	answer_limited();
	q->r->retry_after = retry_s;
	answer_words(q, 429, "refused", "too many requests");
	return false;
}

/* A page of a foreign site may send, but not read: so it must not act. */
static bool
is_from_here(struct query *q)
{
	const struct web_request *rq = q->rq;

	if (!guard_is_browser(rq->origin, rq->fetch_site) ||
	    (q->o->tokens.n > 0 && guard_is_own_page(rq->origin,
	    rq->fetch_site, rq->host)))
		return true;
	answer_refused();
	answer_words(q, 403, "refused", "a page may ask for this only from "
	    "this very host, and with a token");
	return false;
}

static bool
is_authorized(struct query *q)
{
	if (q->trusted || q->o->tokens.n == 0)
		return true;
	if (!is_within_rate(q, &wrong, WRONG_BURST, WRONG_RATE))
		return false;
	answer_refused();
	/* A page asks its reader by itself; the browser would ask again. */
	q->r->ask = !guard_is_browser(q->rq->origin, q->rq->fetch_site);
	answer_words(q, 401, "refused", "a token is wanted, as bearer, as "
	    "password, or as the first part of the path");
	return false;
}

/* The route's path, then nothing, or "/" and a name. */
static bool
is_route(const struct route *route, const char *path, const char **rest)
{
	size_t n = strlen(route->path);

	if (strncmp(path, route->path, n) != 0)
		return false;
	*rest = path + n;
	if (**rest == '\0')
		return true;
	if (!route->more || **rest != '/' || (*rest)[1] == '\0')
		return false;
	++*rest;
	return true;
}

static const struct route *
find(enum verb verb, const char *path, const char **rest)
{
	size_t i;

	for (i = 0; i < nitems(routes); i++)
		if (routes[i].verb == verb &&
		    is_route(&routes[i], path, rest))
			return &routes[i];
	return NULL;
}

static void
get(struct query *q, const char *path)
{
	const struct route *route = find(VERB_GET, path, &q->rest);

	if (route == NULL)
		answer_words(q, 404, "not found", NULL);
	else if (!route->detail || q->rq->loopback || is_authorized(q))
		route->run(q);
}

/* The old listener took every path that ends so. */
static bool
is_recover(const char *path)
{
	static const char word[] = "recover";
	size_t n = strlen(path);

	return n >= sizeof word - 1 &&
	    strcmp(path + n - (sizeof word - 1), word) == 0;
}

static void
post(struct query *q, const char *path)
{
	const struct route *route = find(VERB_POST, path, &q->rest);

	if (!is_from_here(q) || !is_authorized(q) ||
	    !is_within_rate(q, &posts, POST_BURST, POST_RATE))
		return;
	if (route != NULL)
		route->run(q);
	else if (is_recover(path))
		answer_recover(q);
	else
		answer_words(q, 404, "not found", NULL);
}

/* Without slashes at the end; "" is "/". */
static void
trim(const char *path, char *dst, size_t cap)
{
	size_t n = strlen(path);

	while (n > 0 && path[n - 1] == '/')
		n--;
	if (n >= cap)
		n = cap - 1;
	(void)snprintf(dst, cap, "%.*s", (int)n, path);
	if (n == 0)
		(void)snprintf(dst, cap, "/");
}

static void
dispatch(struct query *q)
{
	const char *method = q->rq->method, *route;
	char path[512];

	if (!is_well_formed(q))
		return;
	q->trusted = guard_is_trusted(&q->o->tokens, q->rq->authorization,
	    q->rq->path, &route);
	trim(route, path, sizeof path);
	if (strcmp(method, "POST") == 0) {
		post(q, path);
	} else if (strcmp(method, "GET") == 0 ||
	    strcmp(method, "HEAD") == 0) {
		get(q, path);
	} else {
		q->r->allow = "GET, HEAD, POST";
		answer_words(q, 405, "refused", "GET, HEAD or POST");
	}
}

void
answer(const struct web_request *rq, struct web_reply *r)
{
	struct query q = { .rq = rq, .r = r, .rest = "", .o = opts,
	    .out = &out };

	buf_init(&out, out_mem, sizeof out_mem);
	r->status = 200;
	r->type = "application/json";
	dispatch(&q);
	if (out.overflow) {
		buf_reset(&out);
		r->type = "application/json";
		answer_words(&q, 500, "error", "the answer is too long");
	}
	r->body = out.base;
	r->len = out.len;
}
