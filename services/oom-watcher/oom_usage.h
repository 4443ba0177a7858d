/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_USAGE_H
#define SVTREE_OOM_USAGE_H

#include <stdint.h>

/* Looks at the memory of every service when it is time, every_ms apart; tells
 * on the services what oom_trend.c finds. Returns when it is time again. */
int64_t usage_step(int64_t every_ms, int64_t now_ms);

#endif
