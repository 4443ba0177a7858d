/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_ENGINE_H
#define SVTREE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What docker-keeper does when, without a clock, a socket or a process: when
 * to ask the engine for a sign of life, when it counts as gone, when to try
 * to start it. Times are in ms on one clock; they come in.
 */
#define ENGINE_PING_MS		12000	/* while it answers */
#define ENGINE_PING_AGAIN_MS	500	/* after the first silence */
#define ENGINE_MISSES		2	/* in a row: it is gone */
#define ENGINE_LOOK_MS		250	/* while it is gone; doubles */
#define ENGINE_LOOK_MAX_MS	5000
#define ENGINE_START_MAX_MS	1800000	/* cap of the back-off */

enum engine_news { ENGINE_SAME, ENGINE_BACK, ENGINE_LOST };

struct engine {
	bool	 up;
	int	 missed;	/* pings in a row */
	int64_t	 ping_at_ms;
	int64_t	 look_ms;	/* between two looks while it is gone */
	int64_t	 start_at_ms;	/* next attempt */
	int64_t	 start_ms;	/* wait after the next attempt */
	int64_t	 start_every_ms;
	int	 attempts;	/* since it was last up */
	int64_t	 lost_ms;	/* when */
};

void engine_init(struct engine *e, int64_t now_ms, int64_t start_every_ms);
/* A ping was answered, or not in time. */
enum engine_news engine_pinged(struct engine *e, bool answered,
    int64_t now_ms);
/* Something speaks against it: its stream broke, the machine has slept. */
void engine_doubt(struct engine *e, int64_t now_ms);
/* True when it is time to try to start it; that counts as an attempt. */
bool engine_start_due(struct engine *e, int64_t now_ms);
int64_t engine_deadline(const struct engine *e);

#endif
