/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_WATCH_H
#define SVTREE_OOM_WATCH_H

#include <stdint.h>

/*
 * The containers: follows the engine's events and reports deaths. http_open
 * was called, http_run is called in the loop.
 */

/* What is due by now; returns when it wants to be called again. */
int64_t watch_step(int64_t now_ms);
/* Opens the stream anew: after sleep, or when the socket is another. */
void watch_reopen(void);
void watch_close(void);

#endif
