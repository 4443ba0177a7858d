/* SPDX-License-Identifier: ISC */
/*
 * Which headers of a request matter, which an answer bears, and the socket
 * that waits for requests.
 */
#include <netinet/in.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "buf.h"
#include "os.h"
#include "web_head.h"

#define BACKLOG		256

void
web_begin(struct web_request *rq, const char *method, const char *path,
    const char *version)
{
	*rq = (struct web_request){ .method = method, .path = path };
	rq->host = rq->origin = rq->fetch_site = rq->authorization = "";
	rq->accept = rq->body = "";
	rq->old = strcmp(version, "HTTP/1.0") == 0;
}

static void
see_length(struct web_request *rq, const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	if (value[0] < '0' || value[0] > '9' || *end != '\0')
		rq->doubled = true;	/* "5, 5" is two as well */
	if (n > WEB_BODY_MAX)
		rq->too_long = true;
}

void
web_see(struct web_request *rq, struct web_seen *seen, const char *name,
    const char *value)
{
	const struct {
		const char	 *name, **value;
		int		 *count;
	} known[] = {
		{ "Host",		&rq->host,		&seen->hosts },
		{ "Origin",		&rq->origin,
		    &seen->origins },
		{ "Sec-Fetch-Site",	&rq->fetch_site,	&seen->sites },
		{ "Accept",		&rq->accept,		NULL },
		{ "Authorization",	&rq->authorization,
		    &seen->authorizations },
	};
	size_t i;

	if (value == NULL)
		value = "";
	for (i = 0; i < nitems(known); i++)
		if (strcasecmp(name, known[i].name) == 0) {
			*known[i].value = value;
			if (known[i].count != NULL)
				++*known[i].count;
		}
	/* "Content-Length : 5" is one to some proxies and none to others. */
	if (name[strcspn(name, " \t")] != '\0')
		rq->doubled = true;
	if (strcasecmp(name, "Transfer-Encoding") == 0)
		rq->chunked = true;
	if (strcasecmp(name, "Content-Length") == 0) {
		seen->lengths++;
		see_length(rq, value);
	}
}

void
web_seen_all(struct web_request *rq, const struct web_seen *seen)
{
	rq->doubled = rq->doubled || seen->hosts > 1 || seen->lengths > 1 ||
	    seen->authorizations > 1 || seen->origins > 1 ||
	    seen->sites > 1;
}

bool
web_header(const struct web_reply *r, int n, const char **name,
    const char **value)
{
	static char seconds[16];
	const struct {
		const char *name, *value;
	} headers[] = {
		{ "Content-Type", r->type },
		{ "Connection", "close" },
		{ "Cache-Control", "no-store" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "X-Frame-Options", "DENY" },
		{ "Referrer-Policy", "no-referrer" },
		{ "Content-Security-Policy", r->policy },
		{ "Allow", r->allow },
		{ "WWW-Authenticate", r->ask ?
		    "Basic realm=\"svtree\", charset=\"UTF-8\"" : NULL },
		{ "Retry-After", r->retry_after > 0 ? seconds : NULL },
	};

	if (n < 0 || (size_t)n >= nitems(headers))
		return false;
	(void)snprintf(seconds, sizeof seconds, "%d", r->retry_after);
	*name = headers[n].name;
	*value = headers[n].value;
	return true;
}

int
web_bind(const struct sockaddr *sa, socklen_t len)
{
	int fd, saved, on = 1;

	if ((fd = socket(sa->sa_family, SOCK_STREAM, 0)) < 0)
		return -1;
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof on);
	if (os_cloexec(fd) == 0 && os_nonblock(fd) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
	    bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}
