/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HISTORY_H
#define SVTREE_HISTORY_H

#include <stdint.h>

#include "buf.h"

/*
 * How each service was over the last day, a quarter of an hour after the
 * other: from the events of the log, and from those that come. Pure: the
 * time comes in.
 */
#define HISTORY_SLOTS	96
#define HISTORY_SLOT_S	900

enum was { WAS_UNKNOWN, WAS_WELL, WAS_ILL, WAS_STOPPED };

/* From at_us on the service is as told. Times go forward; one that lies
 * before the last is taken as the last. */
void history_add(const char *service, enum was was, int64_t at_us);
enum was history_judge(const char *state, const char *want,
    const char *health);
/* It is so now, and has been since then, when nothing else is known. */
void history_know(const char *service, enum was was, int64_t since_us,
    int64_t now_us);
/* {"slot_s":900,"services":{"a":{"ratio":0.99,"slots":"-wwpis"}}}: the share
 * of the time wanted in which it was well; a letter a slot, oldest first: w
 * well, i ill, p partly ill, s stopped, - nothing known. */
void history_put(struct buf *b, int64_t now_us);
void history_reset(void);

#endif
