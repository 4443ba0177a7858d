/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_STATUS_H
#define SVTREE_STATUS_H

#include "buf.h"
#include "conf.h"
#include "record.h"

/*
 * The one writer of status JSON (type Service of org.svtree.varlink): from a
 * definition and a record, so it serves with the supervisor alive or dead.
 * At most STATUS_SERVICE_MAX bytes.
 */
#define STATUS_SERVICE_MAX	6144

/* The present on all clocks, to tell when a deadline comes in wall time. */
struct status_now {
	int64_t	 now_ms, awake_ms, wall_us;
};

struct status_tree {		/* type Supervisor */
	long	 pid;
	int64_t	 since_us, loaded_us;
	const char *services, *state, *log;
};

void status_put_service(struct buf *b, const struct conf_service *conf,
    const struct record *r, bool stale, const struct status_now *now);
void status_put_supervisor(struct buf *b, const struct status_tree *t);

#endif
