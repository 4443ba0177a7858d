/* SPDX-License-Identifier: ISC */
/*
 * A GET or a POST and nothing more: see the header.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "svctl_http.h"

#define HOST_MAX	128

struct place {
	char	 host[HOST_MAX], port[8], path[512];
};

static int
fail(struct get *g, const char *what, const char *why)
{
	(void)snprintf(g->err, sizeof g->err, "%s%s%.100s", what,
	    why != NULL ? ": " : "", why != NULL ? why : "");
	return -1;
}

/* http://HOST[:PORT][/PATH], or tcp:// without a path. HOST is an address,
 * [v6 address] or localhost. */
static int
take_url(const char *url, const char *path, struct place *p, struct get *g)
{
	const char *host, *end, *colon;
	size_t n;

	if (strncmp(url, "http://", 7) == 0)
		host = url + 7;
	else if (strncmp(url, "tcp://", 6) == 0)
		host = url + 6;
	else
		return fail(g, "not checked", "not plain http");
	n = strcspn(host, "/");
	end = host + n;
	if (*host == '[' && (colon = strchr(host, ']')) != NULL) {
		n = (size_t)(colon - ++host);
		colon++;
	} else {
		n = strcspn(host, ":/");
		colon = host + n;
	}
	if (n == 0 || n >= sizeof p->host)
		return fail(g, "not checked", "no host in the address");
	(void)snprintf(p->host, sizeof p->host, "%.*s", (int)n, host);
	if (strcmp(p->host, "localhost") == 0)
		(void)snprintf(p->host, sizeof p->host, "127.0.0.1");
	(void)snprintf(p->port, sizeof p->port, "80");
	if (*colon == ':')
		(void)snprintf(p->port, sizeof p->port, "%.*s",
		    (int)(end - colon - 1), colon + 1);
	while (path[0] == '/' && *end == '/' && end[1] == '\0')
		path++;
	(void)snprintf(p->path, sizeof p->path, "%s%s", end, path);
	if (p->path[0] == '\0')
		(void)snprintf(p->path, sizeof p->path, "/");
	return 0;
}

/* 1 ready, else an error told. */
static int
wait_for(int fd, short events, int64_t deadline, struct get *g)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int64_t left;
	int n;

	do {
		left = deadline - os_now_ms();
		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return fail(g, "no answer in time", NULL);
	return n < 0 ? fail(g, "poll", strerror(errno)) : 1;
}

static int
connect_to(const struct sockaddr *sa, socklen_t len, int64_t deadline,
    struct get *g)
{
	int fd = socket(sa->sa_family, SOCK_STREAM, 0), error = 0;
	socklen_t size = sizeof error;

	if (fd < 0)
		return fail(g, "socket", strerror(errno));
	(void)os_cloexec(fd);
	(void)os_nonblock(fd);
	if (connect(fd, sa, len) < 0)
		error = errno;
	if (error == EINPROGRESS || error == EINTR) {
		if (wait_for(fd, POLLOUT, deadline, g) < 0) {
			(void)close(fd);
			return -1;
		}
		error = 0;
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	if (error == 0)
		return fd;
	(void)close(fd);
	g->refused = error == ECONNREFUSED || error == ENOENT;
	return fail(g, "connect", strerror(error));
}

static int
open_place(const struct place *p, int64_t deadline, struct get *g)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST |
	    AI_NUMERICSERV, .ai_socktype = SOCK_STREAM }, *list;
	int fd;

	if (getaddrinfo(p->host, p->port, &hints, &list) != 0)
		return fail(g, "not checked", "the host is a name, not an "
		    "address");
	fd = connect_to(list->ai_addr, list->ai_addrlen, deadline, g);
	freeaddrinfo(list);
	return fd;
}

static int
send_all(int fd, const char *text, int64_t deadline, struct get *g)
{
	size_t n = strlen(text);
	ssize_t put;

	while (n > 0) {
		put = write(fd, text, n);
		if (put > 0) {
			text += put;
			n -= (size_t)put;
		} else if (errno != EAGAIN && errno != EINTR) {
			return fail(g, "send", strerror(errno));
		} else if (wait_for(fd, POLLOUT, deadline, g) < 0) {
			return -1;
		}
	}
	return 0;
}

/* What Content-Length says, -1 when it says nothing. */
static long
length_of(const char *head, const char *end)
{
	const char *p;

	for (p = head; p < end; p++)
		if (*p == '\n' && strncasecmp(p + 1, "content-length:", 15)
		    == 0)
			return strtol(p + 16, NULL, 10);
	return -1;
}

/* All that has come is in body; is the answer whole? */
static int
is_whole(const struct get *g)
{
	const char *end = strstr(g->body, "\r\n\r\n");
	long want;

	if (end == NULL || (want = length_of(g->body, end)) < 0)
		return 0;
	return g->len - (size_t)(end + 4 - g->body) >= (size_t)want;
}

static int
read_answer(int fd, int64_t deadline, struct get *g)
{
	ssize_t n;

	g->body = malloc(GET_BODY_MAX + 1);
	if (g->body == NULL)
		return fail(g, "no memory", NULL);
	g->body[0] = '\0';
	while (g->len < GET_BODY_MAX && !is_whole(g)) {
		n = read(fd, g->body + g->len, GET_BODY_MAX - g->len);
		if (n == 0)
			break;
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			if (wait_for(fd, POLLIN, deadline, g) < 0)
				return -1;
			continue;
		}
		if (n < 0)
			return fail(g, "read", strerror(errno));
		g->len += (size_t)n;
		g->body[g->len] = '\0';
	}
	return 0;
}

/* The pieces of a chunked body put together; HTTP/1.0 forbids them, and some
 * servers send them. */
static void
join_chunks(struct get *g)
{
	char *from = g->body, *to = g->body, *end = g->body + g->len, *line;
	size_t n;

	while (from < end && (line = strstr(from, "\r\n")) != NULL) {
		n = (size_t)strtoul(from, NULL, 16);
		from = line + 2;
		if (n == 0 || n > (size_t)(end - from))
			break;
		memmove(to, from, n);
		to += n;
		from += n + 2;
	}
	*to = '\0';
	g->len = (size_t)(to - g->body);
}

static int
split(struct get *g)
{
	char *end = strstr(g->body, "\r\n\r\n");
	int chunked;

	if (sscanf(g->body, "HTTP/%*d.%*d %d", &g->status) != 1) {
		g->status = 0;
		return fail(g, g->len == 0 ? "it hung up without an answer" :
		    "what it answers is no HTTP", NULL);
	}
	if (end == NULL)
		end = g->body + g->len - 4;
	*end = '\0';
	chunked = strcasestr(g->body, "transfer-encoding: chunked") != NULL;
	g->len -= (size_t)(end + 4 - g->body);
	memmove(g->body, end + 4, g->len + 1);
	if (chunked)
		join_chunks(g);
	return 0;
}

static void
put_request(char *dst, size_t cap, const char *host, const char *path,
    const char *body)
{
	char head[80] = "";

	if (body != NULL)
		(void)snprintf(head, sizeof head, "Content-Type: application/"
		    "json\r\nContent-Length: %zu\r\n", strlen(body));
	(void)snprintf(dst, cap, "%s %s HTTP/1.0\r\nHost: %s\r\n"
	    "User-Agent: svctl\r\nAccept: */*\r\n%sConnection: close\r\n"
	    "\r\n%s", body != NULL ? "POST" : "GET", path, host, head,
	    body != NULL ? body : "");
}

static int
ask(int fd, const char *host, const char *path, const char *body,
    int64_t began, int64_t deadline, struct get *g)
{
	char request[2048];
	int rc;

	if (fd < 0)
		return -1;
	put_request(request, sizeof request, host, path, body);
	rc = send_all(fd, request, deadline, g) < 0 ||
	    read_answer(fd, deadline, g) < 0 || split(g) < 0 ? -1 : 0;
	g->ms = (int)(os_now_ms() - began);
	(void)close(fd);
	return rc;
}

int
get_url(const char *url, const char *path, int timeout_ms, struct get *g)
{
	return get_post(url, path, NULL, timeout_ms, g);
}

int
get_post(const char *url, const char *path, const char *body, int timeout_ms,
    struct get *g)
{
	int64_t began = os_now_ms(), deadline = began + timeout_ms;
	char host[HOST_MAX + 16];
	struct place p;

	memset(g, 0, sizeof *g);
	if (take_url(url, path, &p, g) < 0)
		return -1;
	(void)snprintf(host, sizeof host, "%s:%s", p.host, p.port);
	return ask(open_place(&p, deadline, g), host, p.path, body, began,
	    deadline, g);
}

int
get_unix(const char *path, const char *what, int timeout_ms, struct get *g)
{
	int64_t began = os_now_ms(), deadline = began + timeout_ms;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };

	memset(g, 0, sizeof *g);
	if (strlen(path) >= sizeof sun.sun_path)
		return fail(g, path, "too long for a socket");
	(void)strlcpy(sun.sun_path, path, sizeof sun.sun_path);
	return ask(connect_to((const struct sockaddr *)&sun, sizeof sun,
	    deadline, g), "localhost", what, NULL, began, deadline, g);
}

int
get_connect(const char *url, int timeout_ms, struct get *g)
{
	int64_t deadline = os_now_ms() + timeout_ms;
	struct place p;
	int fd;

	memset(g, 0, sizeof *g);
	if (take_url(url, "", &p, g) < 0 ||
	    (fd = open_place(&p, deadline, g)) < 0)
		return -1;
	(void)close(fd);
	return 0;
}

void
get_free(struct get *g)
{
	free(g->body);
	g->body = NULL;
}
