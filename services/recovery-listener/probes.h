/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_PROBES_H
#define SVTREE_PROBES_H

#include "buf.h"
#include "latency.h"

/* What health-monitor has noted of its probes. */
void probes_refresh(void);
/* As of the last refresh; NULL for a service that is not probed. */
const struct latency *probes_find(const char *service);
/* {"slot_s":900,"services":{"a":{"last_ms":3,"mean_ms":2.500,"max_ms":9,
 * "failed":0,"slots":[null,2.500]}}}: means by quarters of an hour of the
 * last day, oldest first; null where nothing was answered. last_ms is null
 * when the last probe was not. */
void probes_put(struct buf *b, int64_t now_s);

#endif
