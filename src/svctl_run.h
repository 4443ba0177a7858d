/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_RUN_H
#define SVTREE_SVCTL_RUN_H

#include <stddef.h>

/* A program run to its end, or to its deadline: then it is killed. */

/* Its exit status; -1 when it cannot be run (errno), was killed or took too
 * long. What it prints on both outputs goes to dst, cut at cap. */
int run_program(char *const argv[], int timeout_ms, char *dst, size_t cap);
/* Is there a program of this name in PATH? Its path to dst when not NULL. */
int run_find(const char *name, char *dst, size_t cap);

#endif
