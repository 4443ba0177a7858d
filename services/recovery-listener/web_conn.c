/* SPDX-License-Identifier: ISC */
/*
 * Connections as a table. Ends them by shutdown(2), so that the library
 * notices by itself; knows nothing of HTTP.
 */
#include <sys/socket.h>

#include <string.h>

#include "buf.h"
#include "web.h"
#include "web_conn.h"

#define QUEUE		65536

struct conn {
	int	 fd;		/* -1: free */
	void	*library;
	bool	 waiting;	/* for a whole request */
	bool	 asleep, ended;
	int64_t	 deadline_ms, since_ms;
	size_t	 len;
	char	 body[WEB_BODY_MAX];
	struct queue *queue;	/* of a stream */
};

struct queue {
	struct conn *owner;	/* NULL: free */
	struct buf b;
	char	 mem[QUEUE];
};

static struct conn conns[CONN_MAX];
static struct queue queues[WEB_STREAMS];
static int used;		/* conns from here on were never taken */

static void
end(struct conn *c)
{
	(void)shutdown(c->fd, SHUT_RDWR);
	c->deadline_ms = INT64_MAX;
	c->waiting = false;
}

/* One that waits more than is allowed: the oldest goes. */
static void
make_way(void)
{
	struct conn *c, *oldest = NULL;
	int n = 0;

	for (c = conns; c < conns + used; c++) {
		if (c->fd < 0 || !c->waiting)
			continue;
		n++;
		if (oldest == NULL || c->since_ms < oldest->since_ms)
			oldest = c;
	}
	if (n >= CONN_WAITING)
		end(oldest);
}

struct conn *
conn_take(int fd, void *library, int64_t now_ms)
{
	struct conn *c;

	make_way();
	for (c = conns; c < conns + used; c++)
		if (c->fd < 0)
			break;
	if (c == conns + used) {
		if (used == CONN_MAX) {
			(void)shutdown(fd, SHUT_RDWR);
			return NULL;
		}
		used++;
	}
	c->fd = fd;
	c->library = library;
	c->waiting = true;
	c->asleep = c->ended = false;
	c->since_ms = now_ms;
	c->deadline_ms = now_ms + CONN_TOTAL_MS;
	c->len = 0;
	c->queue = NULL;
	return c;
}

void
conn_drop(struct conn *c)
{
	if (c == NULL)
		return;
	if (c->queue != NULL)
		c->queue->owner = NULL;
	c->queue = NULL;
	c->fd = -1;
}

int
conn_collect(struct conn *c, const char *bytes, size_t n)
{
	if (n > sizeof c->body - c->len)
		return -1;
	memcpy(c->body + c->len, bytes, n);
	c->len += n;
	return 0;
}

const char *
conn_body(const struct conn *c, size_t *len)
{
	*len = c->len;
	return c->body;
}

void
conn_answered(struct conn *c)
{
	c->waiting = false;
}

void
conn_expire(int64_t now_ms)
{
	struct conn *c;

	for (c = conns; c < conns + used; c++)
		if (c->fd >= 0 && c->deadline_ms <= now_ms)
			end(c);
}

int64_t
conn_deadline(void)
{
	int64_t t = INT64_MAX;
	struct conn *c;

	for (c = conns; c < conns + used; c++)
		if (c->fd >= 0 && c->deadline_ms < t)
			t = c->deadline_ms;
	return t;
}

int
conn_stream(struct conn *c, const char *first, size_t n)
{
	size_t i;

	for (i = 0; i < nitems(queues); i++)
		if (queues[i].owner == NULL)
			break;
	if (i == nitems(queues))
		return -1;
	c->queue = &queues[i];
	c->queue->owner = c;
	buf_init(&c->queue->b, c->queue->mem, sizeof c->queue->mem);
	c->deadline_ms = INT64_MAX;
	conn_feed(c, first, n);
	return 0;
}

ssize_t
conn_read(struct conn *c, char *dst, size_t max)
{
	struct buf *b = &c->queue->b;
	size_t n = b->len < max ? b->len : max;

	if (n == 0)
		return c->ended ? -1 : 0;
	memcpy(dst, b->base, n);
	buf_consume(b, n);
	return (ssize_t)n;
}

void
conn_feed(struct conn *c, const char *text, size_t n)
{
	buf_put(&c->queue->b, text, n);
	if (c->queue->b.overflow)
		conn_finish(c);
}

void
conn_finish(struct conn *c)
{
	buf_reset(&c->queue->b);
	c->ended = true;
}

int
conn_fd(const struct conn *c)
{
	return c->fd;
}

void
conn_set_asleep(struct conn *c, bool asleep)
{
	c->asleep = asleep;
}

bool
conn_is_asleep(const struct conn *c)
{
	return c->asleep;
}

void *
conn_library(const struct conn *c)
{
	return c->library;
}

struct conn *
conn_next_stream(const struct conn *c)
{
	size_t i = c == NULL ? 0 : (size_t)(c->queue - queues) + 1;

	for (; i < nitems(queues); i++)
		if (queues[i].owner != NULL)
			return queues[i].owner;
	return NULL;
}
