/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_WHOSE_H
#define SVTREE_OOM_WHOSE_H

#include <stdint.h>

#include "oom_kmsg.h"

#define NEAR_US	INT64_C(3000000) /* around the kill, an end is its */

/* A kill that was at from_us or later: its service is looked for, and told. */
void whose_add(const struct kernel_kill *kill, int64_t from_us);
/* Asks what is due; returns when something is again, INT64_MAX never. */
int64_t whose_step(int64_t now_ms);

#endif
