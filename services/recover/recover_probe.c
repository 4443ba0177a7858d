/* SPDX-License-Identifier: ISC */
/*
 * Asks a service: one HTTP request (two, where a server of that type may not
 * know the first path), or a TCP connect to an address in figures. What the
 * answer is worth is recover_judge.c's.
 */
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "http.h"
#include "os.h"
#include "recover_probe.h"

#define BODY_MAX	(256 * 1024)
#define CONNECT_MS	1000

bool
probe_is_busy(const struct probe *p)
{
	return p->id > 0 || p->fd >= 0;
}

static void
settle(struct probe *p, enum answer answer, const char *words)
{
	p->answer = answer;
	(void)snprintf(p->words, sizeof p->words, "%s", words);
}

/* "http://localhost:11434/x" to host and port. -1: not of that form. */
static int
split_url(const char *url, char *host, size_t cap, char port[8])
{
	const char *start = strstr(url, "://"), *end, *colon;

	if (start == NULL)
		return -1;
	start += 3;
	end = start + strcspn(start, "/");
	if (*start == '[') {
		colon = memchr(start, ']', (size_t)(end - start));
		if (colon == NULL || (size_t)(colon - start) > cap)
			return -1;
		(void)snprintf(host, cap, "%.*s", (int)(colon - start - 1),
		    start + 1);
		colon++;
	} else {
		colon = memchr(start, ':', (size_t)(end - start));
		if (colon == NULL)
			colon = end;
		if ((size_t)(colon - start) >= cap)
			return -1;
		(void)snprintf(host, cap, "%.*s", (int)(colon - start),
		    start);
	}
	(void)snprintf(port, 8, "%s", "80");
	if (colon < end && *colon == ':')
		(void)snprintf(port, 8, "%.*s", (int)(end - colon - 1),
		    colon + 1);
	return 0;
}

/* No name service is asked: it may take longer than all else. */
static struct addrinfo *
look_up(const char *host, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST }, *ai = NULL;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	return getaddrinfo(host, port, &hints, &ai) == 0 ? ai : NULL;
}

bool
probe_can(const struct conf_health *h)
{
	struct addrinfo *ai;
	char host[128], port[8];

	if (h->type == NULL || h->url == NULL)
		return false;
	if (strcmp(h->type, "tcp") != 0)
		return plan_path(h, 0) != NULL;
	if (split_url(h->url, host, sizeof host, port) < 0 ||
	    (ai = look_up(host, port)) == NULL)
		return false;
	freeaddrinfo(ai);
	return true;
}

uint16_t
probe_local_port(const struct conf_health *h)
{
	static const char *const here[] = { "localhost", "::1", "0.0.0.0" };
	char host[128], port[8];
	size_t i;

	if (h->url == NULL || split_url(h->url, host, sizeof host, port) < 0)
		return 0;
	for (i = 0; i < nitems(here); i++)
		if (strcmp(here[i], host) == 0)
			break;
	if (i == nitems(here) && strncmp(host, "127.", 4) != 0)
		return 0;
	return (uint16_t)atoi(port);
}

static void ask(struct probe *p);

static void
on_answer(void *arg, const struct http_result *r)
{
	struct probe *p = arg;
	char words[RECOVER_WORDS];
	enum answer answer;

	p->id = 0;
	if (r->status != 0) {
		answer = plan_judge(p->health, r->status, r->body, r->len,
		    words);
		if (answer != ANSWER_NONE) {
			settle(p, answer, words);
			return;
		}
		p->choice++;
		if (plan_path(p->health, p->choice) != NULL)
			ask(p);
		else
			settle(p, ANSWER_WRONG, words);
		return;
	}
	if (r->timed_out)
		(void)snprintf(words, sizeof words, "no answer within %lld ms",
		    (long long)p->health->timeout_ms);
	else if (r->refused)
		(void)snprintf(words, sizeof words, "nobody listens");
	else
		(void)snprintf(words, sizeof words, "%.150s", r->err);
	settle(p, ANSWER_DEAD, words);
}

static void
ask(struct probe *p)
{
	const struct conf_health *h = p->health;
	const char *path = plan_path(h, p->choice);
	struct http_request rq = { .max_body = BODY_MAX,
	    .total_ms = (int)h->timeout_ms,
	    .connect_ms = h->timeout_ms < CONNECT_MS ? (int)h->timeout_ms :
	    CONNECT_MS };
	size_t n = strlen(h->url);
	char url[1024];

	while (n > 0 && h->url[n - 1] == '/')
		n--;
	(void)snprintf(url, sizeof url, "%.*s%s", (int)n, h->url, path);
	rq.url = url;
	p->id = http_start(&rq, on_answer, NULL, p);
	if (p->id <= 0) {
		p->id = 0;
		settle(p, ANSWER_DEAD, "the request cannot be made");
	}
}

/* Returns 0 when the connect is under way or done, -1 errno. */
static int
begin_connect(struct probe *p, const char *host, const char *port)
{
	struct addrinfo *ai = look_up(host, port);
	int rc = -1;

	if (ai == NULL) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	p->fd = socket(ai->ai_family, ai->ai_socktype, ai->ai_protocol);
	if (p->fd >= 0 && os_cloexec(p->fd) == 0 && os_nonblock(p->fd) == 0 &&
	    (connect(p->fd, ai->ai_addr, ai->ai_addrlen) == 0 ||
	    errno == EINPROGRESS))
		rc = 0;
	freeaddrinfo(ai);
	return rc;
}

void
probe_start(struct probe *p, const struct conf_health *h, int64_t now_ms)
{
	char host[128], port[8];

	memset(p, 0, sizeof *p);
	p->health = h;
	p->fd = -1;
	if (strcmp(h->type, "tcp") != 0) {
		ask(p);
		return;
	}
	p->deadline_ms = now_ms + h->timeout_ms;
	if (split_url(h->url, host, sizeof host, port) == 0 &&
	    begin_connect(p, host, port) == 0)
		return;
	settle(p, ANSWER_DEAD, strerror(errno));
	probe_cancel(p);
}

void
probe_step(struct probe *p, int64_t now_ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (p->fd < 0)
		return;
	if (poll(&pfd, 1, 0) <= 0) {
		if (now_ms < p->deadline_ms)
			return;
		error = ETIMEDOUT;
	} else if (getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error,
	    &len) < 0) {
		error = errno;
	}
	settle(p, error == 0 ? ANSWER_OK : ANSWER_DEAD, error == 0 ? "" :
	    strerror(error));
	probe_cancel(p);
}

void
probe_cancel(struct probe *p)
{
	if (p->id > 0)
		http_cancel(p->id);
	if (p->fd >= 0)
		(void)close(p->fd);
	p->id = 0;
	p->fd = -1;
}
