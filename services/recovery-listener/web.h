/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WEB_H
#define SVTREE_WEB_H

#include <sys/socket.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HTTP as the listener needs it: whole requests in, whole answers out (or a
 * stream of events), everything bounded. Only web.c includes libmicrohttpd.
 * One thread; web_wait is the one place where the program waits.
 */
#define WEB_BODY_MAX	4096	/* of a request */
#define WEB_STREAMS	16

struct web_request {		/* "" for a header that is not there */
	const char	*method;
	const char	*path;		/* percent-decoded, without query */
	const char	*host, *origin, *fetch_site, *authorization, *accept;
	bool		 old;		/* HTTP/1.0: Host may be missing */
	bool		 doubled;	/* a header of which there may be one
					   is there twice, or is malformed */
	bool		 chunked;	/* Transfer-Encoding of any kind */
	bool		 too_long;	/* the body; it was not read */
	bool		 loopback;	/* came in by a loopback address */
	const char	*body;
	size_t		 len;
	void		*connection;
};

struct web_reply {
	int		 status;
	const char	*type;		/* Content-Type */
	const char	*body;		/* copied; NULL: none */
	size_t		 len;
	const char	*allow;		/* for 405 */
	const char	*policy;	/* Content-Security-Policy */
	bool		 ask;		/* 401: WWW-Authenticate */
	int		 retry_after;	/* seconds, 0: none */
	bool		 stream;	/* the body first, then what
					   web_publish sends */
};

typedef void web_handler(const struct web_request *rq, struct web_reply *r);

void web_open(web_handler *handler);
/* Serves an address from now on. 0, or -1 with errno. */
int web_listen(const struct sockaddr *sa, socklen_t len, bool loopback);
/* The value of a query parameter, or NULL. */
const char *web_query(const struct web_request *rq, const char *name);
/* Serves until something happened, the deadline (os_now_ms) has come, or one
 * of the nfd descriptors is readable; returns a bit mask of these. */
unsigned web_wait(int64_t deadline_ms, const int *fd, int nfd);
/* To all open streams; one that is too far behind is closed. */
void web_publish(const char *text, size_t len);
int web_streams(void);

#endif
