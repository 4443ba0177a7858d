/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OSLOG_H
#define SVTREE_OSLOG_H

#include <sys/types.h>

/*
 * Looking into a FIFO before taking from it: what was looked at but not yet
 * consumed is still there after a SIGKILL. Linux can (tee(2)), and can move
 * bytes to a file without a copy between (splice(2)); elsewhere the look
 * takes the bytes, and a SIGKILL costs the batch that was under way.
 */
#define OSLOG_BATCH	262144	/* bytes of one look, at most */

int oslog_open(void);
/* The bytes at the front of the FIFO, up to OSLOG_BATCH, to dst. Their
 * number, 0 when there are none; -1 with errno. */
ssize_t oslog_peek(int fifo, char *dst);
/* Takes the first n of the bytes just looked at. 0, or -1 with errno. Where
 * the look has taken all, those behind n are given to the next look at the
 * same FIFO: consume at least one byte, and look again at once. */
int oslog_consume(int fifo, size_t n);
/* Moves up to n bytes to where the file's offset is: each of them exactly
 * once, whatever is killed. Their number, 0 when there are none; -1 with
 * errno: EINVAL where this cannot be done, then look, write and consume. */
ssize_t oslog_move(int fifo, int file, size_t n);
/* A service that fills its FIFO between two looks gets a wider one. */
void oslog_widen(int fifo);

#endif
