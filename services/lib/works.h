/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WORKS_H
#define SVTREE_WORKS_H

#include <stdbool.h>
#include <stdint.h>

/* Is that much CPU time (ms) within took_ms work, on a machine on which so
 * many processes want so many CPUs? Pure. */
bool works_when(int64_t cpu_ms, int64_t took_ms, double load, long cpus);
/* The same, on this machine now. */
bool works(int64_t cpu_ms, int64_t took_ms);

#endif
