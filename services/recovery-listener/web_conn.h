/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WEB_CONN_H
#define SVTREE_WEB_CONN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the listener keeps of each connection: a total deadline (the library
 * knows only an idle one, and a client that drips never idles), the body so
 * far, and the queue of a stream. When too many wait to be asked something,
 * the one that has waited longest is let go, so that idle clients cannot keep
 * others out.
 */
#define CONN_MAX	320
#define CONN_WAITING	64	/* connected, and no whole request yet */
#define CONN_TOTAL_MS	10000	/* from connect to the end of the answer */

struct conn;

/* library is the library's own handle. NULL when there is no place; the
 * connection is at its end then. */
struct conn *conn_take(int fd, void *library, int64_t now_ms);
void conn_drop(struct conn *c);
/* -1: the body is longer than allowed. */
int conn_collect(struct conn *c, const char *bytes, size_t n);
const char *conn_body(const struct conn *c, size_t *len);
/* The request is complete: it counts no longer as waiting. */
void conn_answered(struct conn *c);
/* Ends what is over its time. */
void conn_expire(int64_t now_ms);
/* The earliest of all; INT64_MAX none. */
int64_t conn_deadline(void);

/* A stream: first is sent, then what conn_feed adds. -1: too many. */
int conn_stream(struct conn *c, const char *first, size_t n);
/* What is queued; 0 nothing now, -1 the stream has ended. */
ssize_t conn_read(struct conn *c, char *dst, size_t max);
/* Adds to the queue; what does not fit ends the stream. */
void conn_feed(struct conn *c, const char *text, size_t n);
/* The library leaves it alone until it is woken. */
void conn_set_asleep(struct conn *c, bool asleep);
bool conn_is_asleep(const struct conn *c);
/* The descriptor; readable while asleep means that the client has gone. */
int conn_fd(const struct conn *c);
/* Nothing more is sent: conn_read tells of the end. */
void conn_finish(struct conn *c);
void *conn_library(const struct conn *c);
/* The stream behind c, or the first; NULL: no further. */
struct conn *conn_next_stream(const struct conn *c);

#endif
