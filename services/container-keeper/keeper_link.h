/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_LINK_H
#define SVTREE_KEEPER_LINK_H

#include "docker.h"
#include "keeper.h"

/* The keeper's line to the engine. Must not move: it holds a stream. */
struct link {
	struct docker docker;
	struct keeper *keeper;
	const char *container;
	const char *socket;	/* wanted, or NULL */
	struct docker_container seen; /* the last look */
	int	 stream;	/* 0: none */
	int64_t	 since_ns;	/* begin of the next stream; 0 now */
};

void link_init(struct link *l, struct keeper *k, const char *container,
    const char *socket);
void link_find(struct link *l);
enum step link_look(struct link *l);
bool link_answers(struct link *l);
void link_lost(struct link *l);
void link_reopen(struct link *l);

#endif
