/* SPDX-License-Identifier: ISC */
/*
 * The client side of the control socket: whole messages out, whole messages
 * in, each with a deadline. Knows the framing of Varlink and no method.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "os.h"

#define MESSAGE_MAX	(4u << 20)
#define TOKENS_MAX	(1 << 20)
#define CONNECT_MS	3000

/* Waits until fd is ready for events. 1 it is, 0 time is up, -1 errno. */
static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int n;

	for (;;) {
		left = deadline - os_now_ms();
		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -1;
	}
}

static int
make_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Connects; a full backlog (EAGAIN) is waited for. */
static int
connect_to(int fd, const struct sockaddr_un *sun)
{
	int64_t deadline = os_now_ms() + CONNECT_MS;

	while (connect(fd, (const struct sockaddr *)sun, sizeof *sun) < 0) {
		if (errno == EISCONN)
			return 0;
		if ((errno != EAGAIN && errno != EINTR &&
		    errno != EINPROGRESS) || os_now_ms() >= deadline)
			return -1;
		(void)poll(NULL, 0, 10);
	}
	return 0;
}

int
client_open(struct client *c, const char *run, char *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[512];
	int saved;

	memset(c, 0, sizeof *c);
	c->fd = -1;
	if (client_run_dir(run, dir, sizeof dir) < 0) {
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "no run directory: give --run DIR or set SVTREE_RUN");
		return -1;
	}
	if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s/control", dir) >=
	    (int)sizeof sun.sun_path) {
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "%.150s/control: too long for a socket", dir);
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((c->fd = make_socket()) >= 0 && connect_to(c->fd, &sun) == 0)
		return 0;
	saved = errno;
	(void)snprintf(err, CLIENT_ERR_LEN, "connect to %s: %s",
	    sun.sun_path, strerror(saved));
	client_close(c);
	errno = saved;
	return -1;
}

void
client_close(struct client *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	free(c->in);
	free(c->tok);
	memset(c, 0, sizeof *c);
	c->fd = -1;
}

static int
send_all(struct client *c, const char *p, size_t n, int64_t deadline,
    char *err)
{
	ssize_t sent;

	while (n > 0) {
		sent = os_send(c->fd, p, n);
		if (sent > 0) {
			p += sent;
			n -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR) {
			(void)snprintf(err, CLIENT_ERR_LEN,
			    "send to the supervisor: %s", strerror(errno));
			return -1;
		}
		if (wait_for(c->fd, POLLOUT, deadline) <= 0) {
			(void)snprintf(err, CLIENT_ERR_LEN,
			    "the supervisor takes no request");
			return -1;
		}
	}
	return 0;
}

int
client_send(struct client *c, const char *method, const char *params,
    bool more, int timeout_ms, char *err)
{
	char mem[CLIENT_PARAMS_MAX + 256];
	struct buf b;

	if (c->fd < 0) {
		(void)snprintf(err, CLIENT_ERR_LEN, "not connected");
		return -1;
	}
	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_key(&b, "method");
	buf_printf(&b, "\"%s%s\"", strchr(method, '.') != NULL ? "" :
	    "org.svtree.", method);
	if (params != NULL) {
		json_key(&b, "parameters");
		json_put_raw(&b, params, strlen(params));
	}
	if (more)
		json_set_bool(&b, "more", true);
	json_close(&b, '}');
	buf_putc(&b, '\0');
	if (b.overflow) {
		(void)snprintf(err, CLIENT_ERR_LEN, "the request is too long");
		return -1;
	}
	return send_all(c, mem, b.len, os_now_ms() + timeout_ms, err);
}

/* Room for more bytes; forgets the message that was given out. */
static int
make_room(struct client *c)
{
	size_t cap = c->cap == 0 ? 16384 : c->cap * 2;
	char *grown;

	if (c->used > 0) {
		memmove(c->in, c->in + c->used, c->len - c->used);
		c->len -= c->used;
		c->used = 0;
	}
	if (c->len < c->cap)
		return 0;
	if (cap > MESSAGE_MAX || (grown = realloc(c->in, cap)) == NULL)
		return -1;
	c->in = grown;
	c->cap = cap;
	return 0;
}

/* 1: a whole message begins at in; *n is its length. 0 time, -1 broken. */
static int
read_message(struct client *c, size_t *n, int64_t deadline, char *err)
{
	size_t seen = 0;
	ssize_t got;
	char *end;

	for (;;) {
		if (make_room(c) < 0) {
			(void)snprintf(err, CLIENT_ERR_LEN,
			    "a message is longer than %u bytes", MESSAGE_MAX);
			return -1;
		}
		end = c->len > seen ? memchr(c->in + seen, '\0',
		    c->len - seen) : NULL;
		if (end != NULL) {
			*n = (size_t)(end - c->in);
			return 1;
		}
		seen = c->len;
		if (c->len == c->cap)
			continue;
		got = recv(c->fd, c->in + c->len, c->cap - c->len, 0);
		if (got > 0) {
			c->len += (size_t)got;
		} else if (got == 0) {
			(void)snprintf(err, CLIENT_ERR_LEN,
			    "the supervisor hung up");
			return -1;
		} else if (errno == EAGAIN) {
			if (wait_for(c->fd, POLLIN, deadline) <= 0)
				return 0;
		} else if (errno != EINTR) {
			(void)snprintf(err, CLIENT_ERR_LEN,
			    "read from the supervisor: %s", strerror(errno));
			return -1;
		}
	}
}

static int
parse(struct client *c, struct json *j, size_t n, char *err)
{
	char why[JSON_ERR_LEN];
	struct json_tok *grown;
	int want;

	for (;;) {
		if (c->ntok > 0 && json_parse(j, c->in, n, c->tok, c->ntok,
		    why) == 0)
			return 0;
		/* No text has more values than half its bytes, and one. */
		if (c->ntok > TOKENS_MAX || (size_t)c->ntok > n / 2 + 1)
			break;
		/* A status has a value in some six bytes: one pass does. */
		want = c->ntok * 4 + (int)(n / 6) + 256;
		grown = realloc(c->tok, (size_t)want * sizeof *grown);
		if (grown == NULL)
			break;
		c->tok = grown;
		c->ntok = want;
	}
	(void)snprintf(err, CLIENT_ERR_LEN,
	    "the supervisor sent no valid JSON: %s", why);
	return -1;
}

static void
take_error(struct client_reply *r)
{
	const struct json *j = &r->json;
	int error = json_get(j, 0, "error");

	if (error < 0)
		return;
	if (json_str(j, error, r->error, sizeof r->error) < 0)
		(void)snprintf(r->error, sizeof r->error, "unreadable");
	if (json_str(j, json_get(j, r->params, "reason"), r->reason,
	    sizeof r->reason) == 0)
		return;
	(void)snprintf(r->reason, sizeof r->reason, "%.120s", r->error);
}

int
client_recv(struct client *c, struct client_reply *r, int timeout_ms,
    char *err)
{
	int64_t deadline = os_now_ms() + timeout_ms;
	size_t n;
	int got;

	memset(r, 0, sizeof *r);
	r->params = -1;
	if (c->fd < 0) {
		(void)snprintf(err, CLIENT_ERR_LEN, "not connected");
		return -1;
	}
	got = read_message(c, &n, deadline, err);
	if (got <= 0)
		return got;
	c->used = n + 1;
	if (parse(c, &r->json, n, err) < 0)
		return -1;
	r->params = json_get(&r->json, 0, "parameters");
	(void)json_bool(&r->json, json_get(&r->json, 0, "continues"),
	    &r->continues);
	take_error(r);
	return 1;
}

int
client_call(struct client *c, const char *method, const char *params,
    struct client_reply *r, int timeout_ms, char *err)
{
	int got;

	memset(r, 0, sizeof *r);
	if (client_send(c, method, params, false, timeout_ms, err) < 0)
		return -1;
	got = client_recv(c, r, timeout_ms, err);
	if (got == 0)
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "no answer within %d ms", timeout_ms);
	if (got > 0 && r->error[0] != '\0') {
		(void)snprintf(err, CLIENT_ERR_LEN, "%s", r->reason);
		return -1;
	}
	return got > 0 ? 0 : -1;
}
