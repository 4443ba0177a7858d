/* SPDX-License-Identifier: ISC */
/*
 * The control socket's connections: bytes in, messages out, nothing waited
 * for. What the messages mean is control_calls.c's.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "os.h"

static struct conn conns[CONTROL_CONNS];
static char in_mem[CONTROL_CONNS][CONTROL_IN_MAX];
static char out_mem[CONTROL_CONNS][CONTROL_OUT_MAX];
static char wanted_mem[CONTROL_CONNS][CONTROL_IN_MAX];

static int
number_of(const struct conn *c)
{
	return (int)(c - conns);
}

static int
listen_at(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	int fd;

	(void)snprintf(path, sizeof path, "%s/control", t->run);
	/* We hold run/lock: what is there is stale. Everybody may connect; each
	 * call is judged by who calls. */
	if ((fd = os_bind_path(path, SOCK_STREAM, 0666)) < 0)
		return -1;
	if (listen(fd, 128) == 0 &&
	    os_watch(fd, OS_READ, TAG(TAG_LISTEN, 0)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int
control_open(struct tree *t)
{
	int i;

	for (i = 0; i < CONTROL_CONNS; i++)
		conns[i].fd = -1;
	if (t->listen_fd >= 0)	/* lived through an upgrade */
		return os_watch(t->listen_fd, OS_READ, TAG(TAG_LISTEN, 0));
	t->listen_fd = listen_at(t);
	return t->listen_fd < 0 ? -1 : 0;
}

bool
control_check(struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	int fd;

	(void)snprintf(path, sizeof path, "%s/control", t->run);
	if (access(path, F_OK) == 0 || (fd = listen_at(t)) < 0)
		return false;
	os_drop(&t->listen_fd);
	t->listen_fd = fd;
	return true;
}

/* A free place, or that of whoever has been silent longest. */
static struct conn *
find_place(void)
{
	struct conn *oldest = NULL;
	int i;

	for (i = 0; i < CONTROL_CONNS; i++) {
		if (conns[i].fd < 0)
			return &conns[i];
		if (!conns[i].subscribed && (oldest == NULL ||
		    conns[i].used_ms < oldest->used_ms))
			oldest = &conns[i];
	}
	if (oldest != NULL)
		os_drop(&oldest->fd);
	return oldest;
}

void
control_accept(struct tree *t)
{
	struct conn *c;
	int fd, n;

	if ((fd = accept(t->listen_fd, NULL, NULL)) < 0)
		return;
	c = find_place();
	if (c == NULL || os_cloexec(fd) < 0 || os_nonblock(fd) < 0) {
		(void)close(fd);
		return;
	}
	n = number_of(c);
	memset(c, 0, sizeof *c);
	c->fd = fd;
	c->listing = -1;
	c->used_ms = os_now_ms();
	buf_init(&c->in, in_mem[n], sizeof in_mem[n]);
	buf_init(&c->out, out_mem[n], sizeof out_mem[n]);
	buf_init(&c->wanted, wanted_mem[n], sizeof wanted_mem[n]);
	if (os_peer(fd, &c->uid, &c->gid, &c->pid) < 0 ||
	    os_watch(fd, OS_READ, TAG(TAG_CONN, n)) < 0)
		os_drop(&c->fd);
}

static void
flush(struct conn *c)
{
	ssize_t n;

	while (c->out.len > 0) {
		n = send(c->fd, c->out.base, c->out.len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			os_drop(&c->fd);
			return;
		}
		if (n < 0)
			break;
		buf_consume(&c->out, (size_t)n);
	}
	if (c->out.len == 0 && c->close_soon) {
		os_drop(&c->fd);
	} else if (c->is_full != (c->out.len > 0)) {
		c->is_full = c->out.len > 0;
		(void)os_watch(c->fd, c->is_full ? OS_READ | OS_WRITE :
		    OS_READ, TAG(TAG_CONN, number_of(c)));
	}
}

void
control_reply(struct conn *conn, const char *params, bool continues)
{
	struct buf *b = &conn->out;

	buf_printf(b, "{\"parameters\":%s%s}", params,
	    continues ? ",\"continues\":true" : "");
	buf_putc(b, '\0');
}

void
control_error(struct conn *conn, const char *error, const char *key,
    const char *value, const char *reason)
{
	struct buf *b = &conn->out;

	json_open(b, '{');
	json_set_str(b, "error", error);
	json_key(b, "parameters");
	json_open(b, '{');
	if (key != NULL)
		json_set_str(b, key, value);
	if (reason != NULL)
		json_set_str(b, "reason", reason);
	json_close(b, '}');
	json_close(b, '}');
	buf_putc(b, '\0');
}

void
control_fail(struct conn *conn, const char *reason)
{
	control_error(conn, "org.svtree.Failed", NULL, NULL, reason);
}

/* One message, len bytes without its NUL. */
static void
take_message(struct tree *t, struct conn *c, const char *text, size_t len)
{
	struct json_tok tok[256];
	struct call call = { .tree = t, .conn = c };
	char method[128], err[JSON_ERR_LEN];
	size_t before;

	if (json_parse(&call.json, text, len, tok, (int)nitems(tok), err) < 0 ||
	    json_str(&call.json, json_get(&call.json, 0, "method"), method,
	    sizeof method) < 0) {
		control_fail(c,
		    "no Varlink call: a JSON object with a method is expected");
		c->close_soon = true;
		return;
	}
	call.params = json_get(&call.json, 0, "parameters");
	(void)json_bool(&call.json, json_get(&call.json, 0, "more"),
	    &call.more);
	(void)json_bool(&call.json, json_get(&call.json, 0, "oneway"),
	    &call.oneway);
	before = c->out.len;
	control_call(&call, method);
	if (call.oneway && !c->subscribed) {	/* wants no reply */
		c->out.len = before;
		c->listing = -1;
	}
	/* A reply that does not fit: the client did not read the others. */
	if (c->out.overflow)
		c->close_soon = true;
}

static void
take_bytes(struct tree *t, struct conn *c)
{
	char *end;
	size_t len;

	while (c->fd >= 0 && c->listing < 0 && !c->close_soon &&
	    (end = memchr(c->in.base, '\0', c->in.len)) != NULL) {
		len = (size_t)(end - c->in.base);
		take_message(t, c, c->in.base, len);
		buf_consume(&c->in, len + 1);
	}
	if (c->in.len == c->in.cap && c->listing < 0) {
		control_fail(c, "the message is too long");
		c->close_soon = true;
	}
}

static void
go_on(struct tree *t, struct conn *c)
{
	do {
		if (c->listing >= 0)
			(void)control_list_more(t, c);
		flush(c);
	} while (c->fd >= 0 && c->listing >= 0 && c->out.len == 0);
}

void
control_ready(struct tree *t, int number, unsigned what)
{
	struct conn *c = &conns[number];
	ssize_t n;

	if (number >= CONTROL_CONNS || c->fd < 0)
		return;
	if (what & OS_READ) {
		n = recv(c->fd, c->in.base + c->in.len, buf_room(&c->in), 0);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
			if (buf_room(&c->in) > 0 || n < 0) {
				os_drop(&c->fd);
				return;
			}
		} else if (n > 0) {
			c->in.len += (size_t)n;
			c->used_ms = os_now_ms();
		}
	}
	do {
		go_on(t, c);
		if (c->fd < 0 || c->listing >= 0)
			return;
		take_bytes(t, c);
	} while (c->listing >= 0);
	go_on(t, c);
}

void
control_publish(const char *event, size_t len)
{
	struct conn *c;
	int i;

	for (i = 0; i < CONTROL_CONNS; i++) {
		c = &conns[i];
		if (c->fd < 0 || !c->subscribed)
			continue;
		buf_puts(&c->out, "{\"parameters\":{\"event\":");
		buf_put(&c->out, event, len);
		buf_puts(&c->out, "},\"continues\":true}");
		buf_putc(&c->out, '\0');
		/* Too slow, or this is the middle of its own list. */
		if (c->out.overflow || c->listing >= 0)
			os_drop(&c->fd);
		else
			flush(c);
	}
}

void
control_close(struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	int i;

	for (i = 0; i < CONTROL_CONNS; i++)
		os_drop(&conns[i].fd);
	(void)snprintf(path, sizeof path, "%s/control", t->run);
	(void)unlink(path);
}
