/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WAKE_H
#define SVTREE_WAKE_H

#include <stdbool.h>

/*
 * What wakes a program that waits for descriptors: its signals, as bytes of
 * a pipe, and the end of the machine's sleep.
 */

/* These signals (the list ends with 0) come through wake_next from now on;
 * SIGPIPE is ignored. 0 or -1. */
int wake_open(const int *list);
/* Readable when there is one. Children close it by exec. */
int wake_fd(void);
/* The next signal, 0 when there is none. */
int wake_next(void);
/* True once after the machine has slept for more than 2 s. */
bool wake_slept(void);

#endif
