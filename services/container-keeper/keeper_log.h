/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_LOG_H
#define SVTREE_KEEPER_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "docker.h"

/* The container's output as ours. Must not move: it holds a stream. */
struct keeper_log {
	struct docker *docker;
	const char *container;
	struct docker_logs logs;
	int	 id;		/* 0: no stream */
	int64_t	 from_us;	/* begin, as long as nothing was written */
	char	 last[DOCKER_STAMP_LEN + 1]; /* stamp written last */
	char	 skip[DOCKER_STAMP_LEN + 1]; /* what the stream repeats */
	bool	 told;		/* that there is no output to be had */
};

void log_init(struct keeper_log *l, struct docker *d, const char *container,
    int64_t from_us);
/* The container runs, or has run: its output, from where we were. */
void log_follow(struct keeper_log *l, bool tty);
void log_drop(struct keeper_log *l);
/* It has stopped: what it said last, for at most timeout_ms. */
void log_drain(struct keeper_log *l, bool tty, int64_t timeout_ms);

#endif
