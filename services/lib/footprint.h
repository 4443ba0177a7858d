/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FOOTPRINT_H
#define SVTREE_FOOTPRINT_H

#include <sys/types.h>

#include <stdint.h>

/* What one process takes: bytes resident, descriptors open; -1 for what the
 * system does not tell us of it. */
void footprint_of(pid_t pid, int64_t *resident, int64_t *descriptors);

#endif
