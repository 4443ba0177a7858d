/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_LOGS_H
#define SVTREE_OOM_LOGS_H

#include <stdint.h>

/*
 * The logs of the services, as svlog keeps them below $SVTREE_LOG: whose
 * grows too fast, and whose is the largest.
 */

/* Looks when it is time; returns when that is again. */
int64_t logs_step(const char *dir, int64_t every_ms, int64_t now_ms);

struct logs_size {
	int64_t	 all, largest;	/* bytes; of all, and of one service */
	const char *name;	/* whose is the largest, "" none */
};

/* What they take now. */
void logs_size(const char *dir, struct logs_size *s);

#endif
