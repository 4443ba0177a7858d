/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OSLOG_H
#define SVTREE_OSLOG_H

#include <sys/types.h>

/*
 * Looking into a FIFO before taking from it: what was looked at but not yet
 * consumed is still there after a SIGKILL. Linux can (tee(2)); elsewhere the
 * look takes the bytes, and a SIGKILL costs the batch that was under way.
 */
#define OSLOG_BATCH	65536	/* bytes of one look */

int oslog_open(void);
/* The bytes at the front of the FIFO, up to OSLOG_BATCH, to dst. Their
 * number, 0 when there are none; -1 with errno. */
ssize_t oslog_peek(int fifo, char *dst);
/* Takes the first n of the bytes just looked at. 0, or -1 with errno. Where
 * the look has taken all, those behind n are given to the next look at the
 * same FIFO: consume at least one byte, and look again at once. */
int oslog_consume(int fifo, size_t n);

#endif
