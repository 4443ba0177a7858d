/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WEB_HEAD_H
#define SVTREE_WEB_HEAD_H

#include "web.h"

/* The headers of requests and answers, without the library. */

struct web_seen {		/* headers of which there may be one */
	int	 hosts, lengths, authorizations, origins, sites;
};

/* Empties rq but for what is given. */
void web_begin(struct web_request *rq, const char *method, const char *path,
    const char *version);
/* Takes in one header; call web_seen_all behind the last. */
void web_see(struct web_request *rq, struct web_seen *seen, const char *name,
    const char *value);
void web_seen_all(struct web_request *rq, const struct web_seen *seen);

/* The n-th header of the answer; false: no further. A NULL value means that
 * it is not sent. */
bool web_header(const struct web_reply *r, int n, const char **name,
    const char **value);

/* A listening socket, or -1 with errno. */
int web_bind(const struct sockaddr *sa, socklen_t len);

#endif
