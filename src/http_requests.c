/* SPDX-License-Identifier: ISC */
/*
 * The requests that are under way: started, cancelled, finished, and the wait
 * for the next thing to happen. Callbacks may start and cancel others, so
 * libcurl learns of that only when it is not on the stack (sync_requests).
 */
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "http.h"
#include "http_private.h"

#define REQUESTS	128	/* under way at the same time */
#define FOREVER_MS	(60 * 60 * 1000)

static struct {
	struct transfer *t[REQUESTS];
	int	 last_id;
	bool	 progressed;	/* a callback ran */
} h;

void
http_close(void)
{
	size_t i;

	for (i = 0; i < nitems(h.t); i++)
		if (h.t[i] != NULL) {
			transfer_free(h.t[i]);
			h.t[i] = NULL;
		}
	transfers_close();
}

static void
finish(struct transfer *t, int result)
{
	struct http_result r;
	size_t i;

	for (i = 0; i < nitems(h.t); i++)
		if (h.t[i] == t)
			h.t[i] = NULL;
	if (!t->sink.muted) {
		transfer_result(t, result, &r);
		if (r.status / 100 == 2 && t->sink.line != NULL)
			sink_end(&t->sink);
		h.progressed = true;
		t->done(t->arg, &r);
	}
	transfer_free(t);
}

int
http_start(const struct http_request *rq, http_done *done,
    http_line *line, void *arg)
{
	struct transfer *t;
	size_t i = 0;

	while (i < nitems(h.t) && h.t[i] != NULL)
		i++;
	if (i == nitems(h.t) || (t = transfer_new(rq, line, arg)) == NULL)
		return -1;
	h.last_id = h.last_id == INT_MAX ? 1 : h.last_id + 1;
	t->id = h.last_id;
	t->done = done;
	h.t[i] = t;
	return t->id;
}

void
http_cancel(int id)
{
	size_t i;

	for (i = 0; i < nitems(h.t); i++)
		if (h.t[i] != NULL && h.t[i]->id == id)
			h.t[i]->sink.muted = true;
}

static void
sync_requests(void)
{
	struct transfer *t;
	size_t i;

	for (i = 0; i < nitems(h.t); i++) {
		if ((t = h.t[i]) == NULL)
			continue;
		if (t->sink.muted) {
			h.t[i] = NULL;
			transfer_free(t);
		} else if (!t->added) {
			transfer_add(t);
			if (!t->added)
				finish(t, transfer_no_memory);
		}
	}
}

static void
progress(void)
{
	struct transfer *t;
	int result;
	size_t i;

	sync_requests();
	transfers_perform();
	while ((t = transfers_finished(&result)) != NULL)
		finish(t, result);
	sync_requests();
	for (i = 0; i < nitems(h.t); i++)
		if (h.t[i] != NULL && h.t[i]->sink.handed) {
			h.t[i]->sink.handed = false;
			h.progressed = true;
		}
}

static unsigned
readable(const int *fd, int nfd)
{
	struct pollfd p[HTTP_FDS];
	unsigned mask = 0;
	int i;

	for (i = 0; i < nfd; i++)
		p[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	if (poll(p, (nfds_t)nfd, 0) <= 0)
		return 0;
	for (i = 0; i < nfd; i++)
		if (p[i].revents != 0)
			mask |= 1u << i;
	return mask;
}

unsigned
http_run(int timeout_ms, const int *fd, int nfd)
{
	if (nfd > HTTP_FDS)
		nfd = HTTP_FDS;
	if (timeout_ms < 0)
		timeout_ms = FOREVER_MS;
	h.progressed = false;
	progress();
	if (h.progressed)
		timeout_ms = 0;
	transfers_wait(timeout_ms, fd, nfd);
	progress();
	return readable(fd, nfd);
}

int
http_do(const struct http_request *rq, struct http_result *r, char *dst,
    size_t cap)
{
	struct http_request bounded = *rq;
	struct transfer *t;

	if (bounded.max_body > cap - 1)
		bounded.max_body = cap - 1;
	(void)memset(r, 0, sizeof *r);
	dst[0] = '\0';
	r->body = dst;
	if ((t = transfer_new(&bounded, NULL, NULL)) == NULL) {
		(void)snprintf(r->err, sizeof r->err,
		    "no http:// address, or out of memory");
		return 0;
	}
	transfer_result(t, transfer_run(t), r);
	(void)memcpy(dst, r->body, r->len + 1);
	r->body = dst;
	transfer_free(t);
	return r->status;
}
