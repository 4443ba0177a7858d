/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_HOST_H
#define SVTREE_OOM_HOST_H

#include <stdint.h>

/*
 * The host: its memory and the disk of the logs, told on our own service.
 */
struct host_opts {
	const char	*proc;		/* NULL: the system's */
	const char	*logs;		/* directory of the logs, or NULL */
	int64_t		 every_ms;	/* between two samples */
};

/* Samples when it is time; returns when that is again. */
int64_t host_step(const struct host_opts *o, int64_t now_ms);

#endif
