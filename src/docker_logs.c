/* SPDX-License-Identifier: ISC */
/*
 * The output of a container as the engine streams it: pieces with a head of 8
 * bytes (which of its streams, length), each begun by its time. A terminal's
 * output comes as it is.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "docker.h"
#include "docker_private.h"

#define CONNECT_MS	2000
#define ERROR_MAX	2048

/* Up to want bytes of something that is split over reads. */
static size_t
take(void *dst, unsigned *have, size_t want, const char *bytes, size_t n)
{
	size_t part = want - *have;

	if (part > n)
		part = n;
	(void)memcpy((char *)dst + *have, bytes, part);
	*have += (unsigned)part;
	return part;
}

static size_t
take_head(struct docker_logs *l, const char *bytes, size_t n)
{
	size_t part = take(l->head, &l->have, sizeof l->head, bytes, n);

	if (l->have == sizeof l->head) {
		l->left = (size_t)l->head[4] << 24 | (size_t)l->head[5] << 16 |
		    (size_t)l->head[6] << 8 | (size_t)l->head[7];
		l->stamped = 0;
		if (l->left == 0)
			l->have = 0;
	}
	return part;
}

static size_t
take_stamp(struct docker_logs *l, const char *bytes, size_t n)
{
	size_t part = take(l->stamp, &l->stamped, sizeof l->stamp, bytes,
	    n < l->left ? n : l->left);

	/* The blank behind it makes room for the NUL. */
	if (l->stamped == sizeof l->stamp)
		l->stamp[DOCKER_STAMP_LEN] = '\0';
	return part;
}

static size_t
take_text(struct docker_logs *l, const char *bytes, size_t n)
{
	if (n > l->left)
		n = l->left;
	l->on_output(l->arg, l->stamp, bytes, n);
	return n;
}

void
docker_logs_feed(struct docker_logs *l, const char *bytes, size_t n)
{
	size_t part;

	if (l->tty) {
		l->on_output(l->arg, "", bytes, n);
		return;
	}
	while (n > 0) {
		if (l->have < sizeof l->head) {
			part = take_head(l, bytes, n);
		} else {
			part = l->stamped < sizeof l->stamp ?
			    take_stamp(l, bytes, n) : take_text(l, bytes, n);
			l->left -= part;
			if (l->left == 0)
				l->have = 0;
		}
		bytes += part;
		n -= part;
	}
}

static void
on_bytes(void *arg, const char *bytes, size_t n)
{
	docker_logs_feed(arg, bytes, n);
}

static void
on_done(void *arg, const struct http_result *r)
{
	struct docker_logs *l = arg;
	char why[DOCKER_ERR_LEN] = "";

	if (r->status != 200)
		docker_say_status(r, why);
	l->on_end(l->arg, why);
}

int
docker_logs(struct docker *d, struct docker_logs *l, const char *name,
    bool tty, int64_t since_us, docker_on_output *out, docker_on_end *end,
    void *arg)
{
	char url[1024];
	struct http_request rq = { .url = url, .unix_socket = d->socket,
	    .connect_ms = CONNECT_MS, .max_body = ERROR_MAX, .raw = true };
	struct buf b;

	(void)memset(l, 0, sizeof *l);
	l->tty = tty;
	l->on_output = out;
	l->on_end = end;
	l->arg = arg;
	buf_init(&b, url, sizeof url);
	docker_begin_url(d, &b);
	buf_puts(&b, "/containers/");
	docker_put_escaped(&b, name);
	buf_printf(&b, "/logs?follow=1&stdout=1&stderr=1&timestamps=%d"
	    "&since=%lld.%06d", tty ? 0 : 1, (long long)(since_us / 1000000),
	    (int)(since_us % 1000000));
	(void)buf_cstr(&b);
	return http_start(&rq, on_done, on_bytes, l);
}
