/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_UP_H
#define SVTREE_KEEPER_UP_H

#include "compose.h"
#include "conf.h"
#include "job.h"

/* Docker Compose at work. */
struct up {
	const struct conf_tree *conf;
	const struct conf_service *own;
	const struct conf_container *box;
	struct job job;
	enum compose_kind kind;
	bool	 probing;	/* the job asks which compose there is */
	const char *socket;	/* the engine that it is to talk to */
};

enum up_end { UP_BUSY, UP_DONE, UP_FAILED };

void up_init(struct up *u, const struct conf_tree *conf,
    const struct conf_service *own, const struct conf_container *box);
/* 0, or -1 with errno. socket must live on. */
int up_start(struct up *u, const char *socket);
/* To be called when the loop was woken. UP_FAILED: the reason is in why. */
enum up_end up_step(struct up *u, int64_t now_ms, char *why, int cap);

#endif
