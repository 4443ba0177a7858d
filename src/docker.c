/* SPDX-License-Identifier: ISC */
/*
 * Requests to a container engine: which version to speak, where to ask, what
 * an answer's status means, and the stream of events without repetitions.
 * What the answers' text means is docker_parse.c's, where the socket lies is
 * docker_find.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "docker.h"
#include "docker_private.h"
#include "json.h"

#define CONNECT_MS	2000
#define BODY_MAX	(256 << 10)
#define ERROR_MAX	2048
#define API_MAJOR	1	/* the newest version known here */
#define API_MINOR	52

/* Only letters, digits and "-_." stand as they are (RFC 3986). */
void
docker_put_escaped(struct buf *b, const char *s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	for (; *s != '\0'; s++)
		if (strchr(plain, *s) != NULL)
			buf_putc(b, *s);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
}

/* Begins the address of a request; the host's name does not matter. */
void
docker_begin_url(const struct docker *d, struct buf *b)
{
	buf_puts(b, "http://docker");
	if (d->api[0] != '\0')
		buf_printf(b, "/v%s", d->api);
}

/* The engine tells errors as {"message": "..."}. */
void
docker_say_status(const struct http_result *r, char *err)
{
	struct json_tok tok[64];
	char why[JSON_ERR_LEN], message[180];
	struct json j;

	if (r->status == 0)
		(void)snprintf(err, DOCKER_ERR_LEN, "%.200s", r->err);
	else if (json_parse(&j, r->body, r->len, tok, nitems(tok), why) == 0 &&
	    json_str(&j, json_get(&j, 0, "message"), message,
	    sizeof message) == 0)
		(void)snprintf(err, DOCKER_ERR_LEN, "status %d: %s",
		    r->status, message);
	else
		(void)snprintf(err, DOCKER_ERR_LEN, "status %d", r->status);
}

/* min(ours, theirs); an answer that is no version asks for none. */
static void
choose_api(struct docker *d, const char *theirs)
{
	int major, minor, n = 0;

	d->api[0] = '\0';
	if (sscanf(theirs, "%4d.%4d%n", &major, &minor, &n) != 2 ||
	    theirs[n] != '\0' || major < 0 || minor < 0)
		return;
	if (major > API_MAJOR || (major == API_MAJOR && minor > API_MINOR)) {
		major = API_MAJOR;
		minor = API_MINOR;
	}
	(void)snprintf(d->api, sizeof d->api, "%d.%d", major, minor);
}

int
docker_ping(struct docker *d, int timeout_ms, char *err)
{
	const struct http_request rq = { .url = "http://docker/_ping",
	    .unix_socket = d->socket, .connect_ms = timeout_ms,
	    .total_ms = timeout_ms, .max_body = ERROR_MAX,
	    .want_header = "Api-Version" };
	struct http_result r;
	char body[ERROR_MAX + 1], why[DOCKER_ERR_LEN];

	if (http_do(&rq, &r, body, sizeof body) == 200) {
		choose_api(d, r.header);
		return 0;
	}
	docker_say_status(&r, why);
	(void)snprintf(err, DOCKER_ERR_LEN, "%.120s: %.120s", d->socket, why);
	return -1;
}

/* --- one container */

static int
ask(struct docker *d, const char *url, char *body, size_t cap,
    int timeout_ms, struct http_result *r)
{
	const struct http_request rq = { .url = url,
	    .unix_socket = d->socket,
	    .connect_ms = timeout_ms < CONNECT_MS ? timeout_ms : CONNECT_MS,
	    .total_ms = timeout_ms, .max_body = cap - 1 };

	return http_do(&rq, r, body, cap);
}

int
docker_inspect(struct docker *d, const char *name,
    struct docker_container *c, int timeout_ms, char *err)
{
	char url[1024], *body = malloc(BODY_MAX);
	struct http_result r;
	struct buf b;
	int rc = -1;

	(void)memset(c, 0, sizeof *c);
	if (body == NULL) {
		(void)snprintf(err, DOCKER_ERR_LEN, "out of memory");
		return -1;
	}
	buf_init(&b, url, sizeof url);
	docker_begin_url(d, &b);
	buf_puts(&b, "/containers/");
	docker_put_escaped(&b, name);
	buf_puts(&b, "/json");
	(void)ask(d, buf_cstr(&b), body, BODY_MAX, timeout_ms, &r);
	if (r.status == 404)
		rc = 0;
	else if (r.status == 200 && r.cut)
		(void)snprintf(err, DOCKER_ERR_LEN, "more than %d bytes",
		    BODY_MAX - 1);
	else if (r.status == 200)
		rc = docker_parse_container(body, r.len, c, err);
	else
		docker_say_status(&r, err);
	free(body);
	return rc;
}

int
docker_stop(struct docker *d, const char *name, int seconds,
    int timeout_ms, char *err)
{
	char url[1024], body[ERROR_MAX];
	struct http_request rq = { .url = url, .unix_socket = d->socket,
	    .method = "POST", .connect_ms = CONNECT_MS,
	    .total_ms = timeout_ms, .max_body = sizeof body - 1 };
	struct http_result r;
	struct buf b;

	buf_init(&b, url, sizeof url);
	docker_begin_url(d, &b);
	buf_puts(&b, "/containers/");
	docker_put_escaped(&b, name);
	buf_printf(&b, "/stop?t=%d", seconds);
	(void)buf_cstr(&b);
	(void)http_do(&rq, &r, body, sizeof body);
	/* 304: it is not running. */
	if (r.status == 204 || r.status == 304 || r.status == 404)
		return 0;
	docker_say_status(&r, err);
	return -1;
}

/* --- events */

static uint64_t
hash(uint64_t h, const char *s)
{
	/* FNV-1a, with the NUL */
	do
		h = (h ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
	while (*s++ != '\0');
	return h;
}

/* since is inclusive, so the engine repeats what was read last. */
static bool
is_repeated(struct docker *d, const struct docker_event *e)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uint64_t)e->time_ns;
	unsigned i;

	h = hash(hash(h, e->id), e->action);
	for (i = 0; i < DOCKER_EVENTS && i < d->nseen; i++)
		if (d->seen[i] == h)
			return true;
	d->seen[d->nseen++ % DOCKER_EVENTS] = h;
	if (d->nseen == 2 * DOCKER_EVENTS)
		d->nseen = DOCKER_EVENTS;
	return false;
}

static void
on_line(void *arg, const char *line, size_t len)
{
	struct docker *d = arg;
	struct docker_event e;

	if (docker_parse_event(line, len, &e) == 0 && !is_repeated(d, &e))
		d->on_event(d->arg, &e);
}

static void
on_done(void *arg, const struct http_result *r)
{
	struct docker *d = arg;
	char why[DOCKER_ERR_LEN];

	if (r->status == 200)
		(void)snprintf(why, sizeof why, "the engine has ended it");
	else
		docker_say_status(r, why);
	d->on_end(d->arg, why);
}

int
docker_events(struct docker *d, int64_t since_ns, docker_on_event *ev,
    docker_on_end *end, void *arg)
{
	/* died, remove: older Podman's words */
	static const char filters[] = "{\"type\":[\"container\"],\"event\":"
	    "[\"create\",\"start\",\"restart\",\"oom\",\"die\",\"died\","
	    "\"kill\",\"stop\",\"pause\",\"unpause\",\"rename\","
	    "\"destroy\",\"remove\",\"health_status\"]}";
	char url[1024];
	struct http_request rq = { .url = url, .unix_socket = d->socket,
	    .connect_ms = CONNECT_MS, .max_body = ERROR_MAX };
	struct buf b;

	d->on_event = ev;
	d->on_end = end;
	d->arg = arg;
	buf_init(&b, url, sizeof url);
	docker_begin_url(d, &b);
	buf_puts(&b, "/events?");
	if (since_ns > 0)
		buf_printf(&b, "since=%lld.%09lld&",
		    (long long)(since_ns / 1000000000),
		    (long long)(since_ns % 1000000000));
	buf_puts(&b, "filters=");
	docker_put_escaped(&b, filters);
	(void)buf_cstr(&b);
	return http_start(&rq, on_done, on_line, d);
}
