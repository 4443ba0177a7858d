/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONTROL_H
#define SVTREE_CONTROL_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "json.h"
#include "tree.h"

/*
 * The control socket: Varlink (https://varlink.org/Method-Call), messages of
 * JSON ended by NUL. A fixed number of connections with fixed buffers; a
 * client that does not read is dropped, never waited for.
 */
#define CONTROL_IN_MAX	8192
#define CONTROL_OUT_MAX	32768
#define CONTROL_CONNS	64

struct conn {
	int	 fd;		/* -1: free */
	uid_t	 uid;
	gid_t	 gid;
	pid_t	 pid;
	struct buf in, out;
	bool	 subscribed;
	bool	 is_full;	/* out waits for the peer to read */
	bool	 close_soon;	/* when out is empty */
	int	 listing;	/* Status: next service to write, -1 none */
	bool	 listing_some;	/* only those named in wanted */
	bool	 listed;	/* one at least is written */
	struct buf wanted;	/* names, each ended by NUL */
	int64_t	 used_ms;	/* last time that it said something */
};

struct call {
	struct tree *tree;
	struct conn *conn;
	struct service *sv;	/* that it names, if the method has one */
	struct json json;
	int	 params;	/* token or -1 */
	bool	 more, oneway;
};

int control_open(struct tree *t);
/* The socket is there under its name; makes it anew if a cleaner took it. True
 * when that was so. */
bool control_check(struct tree *t);
void control_accept(struct tree *t);
void control_ready(struct tree *t, int number, unsigned what);
/* Hands an event (one JSON object) to every subscriber. */
void control_publish(const char *event, size_t len);
/* Hangs up on all and takes the socket away. */
void control_close(struct tree *t);

/* control_calls.c: one message, parsed; replies go to the connection */
void control_call(struct call *c, const char *method);
/* Goes on with a list that did not fit; true when it is complete. */
bool control_list_more(struct tree *t, struct conn *conn);

void control_reply(struct conn *conn, const char *params, bool continues);
/* An error with a parameter key, and a reason; either may be NULL. */
void control_error(struct conn *conn, const char *error, const char *key,
    const char *value, const char *reason);
/* org.svtree.Failed */
void control_fail(struct conn *conn, const char *reason);

#endif
