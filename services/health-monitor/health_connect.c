/* SPDX-License-Identifier: ISC */
/*
 * The probe of type tcp: a connect that is begun here and looked at until it
 * is over or its deadline has come. Resolves no name, for that may block.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "health.h"
#include "os.h"

/* tcp://HOST:PORT; HOST is an address. */
static int
parse_address(const char *url, struct sockaddr_storage *ss, socklen_t *len)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	const char *host = strstr(url, "://"), *colon, *wrong;
	char text[64];
	uint16_t port;

	memset(ss, 0, sizeof *ss);
	host = host != NULL ? host + 3 : url;
	if ((colon = strrchr(host, ':')) == NULL)
		return -1;
	port = (uint16_t)strtonum(colon + 1, 1, UINT16_MAX, &wrong);
	if (wrong != NULL)
		return -1;
	if (host[0] == '[' && colon[-1] == ']') {
		(void)snprintf(text, sizeof text, "%.*s",
		    (int)(colon - host - 2), host + 1);
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		*len = sizeof *in6;
		return inet_pton(AF_INET6, text, &in6->sin6_addr) == 1 ?
		    0 : -1;
	}
	(void)snprintf(text, sizeof text, "%.*s", (int)(colon - host), host);
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	*len = sizeof *in;
	return inet_pton(AF_INET, text, &in->sin_addr) == 1 ? 0 : -1;
}

static void
connected(struct target *t, int error)
{
	if (error == 0)
		try_over(t, OUT_OK, "");
	else
		try_over(t, error == ECONNREFUSED ? OUT_REFUSED : OUT_BROKEN,
		    strerror(error));
}

void
try_connect(struct target *t, int64_t now_ms)
{
	struct sockaddr_storage ss;
	struct try *try = &t->try;
	socklen_t len;

	t->pending = 1;
	(void)snprintf(t->round.probe[LAYER_LIVE].what,
	    sizeof t->round.probe[LAYER_LIVE].what,
	    "connect to %.50s", t->base + strlen("tcp://"));
	if (parse_address(t->base, &ss, &len) < 0) {
		try_over(t, OUT_DEGRADED, "no address: wanted is "
		    "tcp://127.0.0.1:5432 or tcp://[::1]:5432");
		return;
	}
	try->deadline_ms = now_ms + t->rules.timeout_ms;
	try->fd = socket(ss.ss_family, SOCK_STREAM, 0);
	if (try->fd < 0 || os_cloexec(try->fd) < 0 ||
	    os_nonblock(try->fd) < 0)
		connected(t, errno);
	else if (connect(try->fd, (const struct sockaddr *)&ss, len) == 0)
		connected(t, 0);
	else if (errno != EINPROGRESS && errno != EINTR)
		connected(t, errno);
}

void
try_look_connect(struct target *t, int64_t now_ms)
{
	struct pollfd p = { .fd = t->try.fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&p, 1, 0) == 1) {
		if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
			error = errno;
		connected(t, error);
	} else if (now_ms >= t->try.deadline_ms) {
		try_over(t, OUT_SILENT, "");
	}
}
