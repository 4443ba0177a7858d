/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_STATUS_H
#define SVTREE_STATUS_H

#include "buf.h"
#include "conf.h"
#include "record.h"

/*
 * The one writer of status JSON (type Service of org.svtree.varlink): from a
 * definition and a record, so it serves with the supervisor alive or dead.
 * now_ms and wall_us are the present on both clocks, to tell when a deadline
 * comes in wall time. At most STATUS_SERVICE_MAX bytes.
 */
#define STATUS_SERVICE_MAX	6144

void status_put_service(struct buf *b, const struct conf_service *conf,
    const struct record *r, int64_t now_ms, int64_t wall_us);
void status_put_supervisor(struct buf *b, long pid, int64_t since_us);

#endif
