/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FEED_H
#define SVTREE_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/*
 * The supervisor's events, passed on to whoever has a stream open: the
 * services that changed, as the status tells them, and what is worth a line
 * for a person. The latest of these are kept, as svlog may be behind.
 */
/* Reads what the log tells of the last day. */
void feed_open(void);
/* To be waited on; -1 while no supervisor answers. */
int feed_fd(void);
/* Takes in what came and passes it on. Returns when it is due again. */
int64_t feed_step(int64_t now_ms);
bool feed_is_live(void);
/* One message of a stream: name and JSON, which holds no newline. */
void feed_message(struct buf *b, const char *name, const char *json,
    size_t len);
/* The latest, oldest first, as a JSON list: from the log, as far as it may be
 * read, and what came since. */
void feed_put_incidents(struct buf *b);

/* feed_incident.c: is an event worth a line for a person? Pure. */
bool incident_counts(const char *event, const char *state,
    const char *health, const char *reason);

#endif
