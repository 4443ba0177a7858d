/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_TELL_H
#define SVTREE_KEEPER_TELL_H

#include "docker.h"
#include "keeper.h"

/* The probes of [health], where there are any, are another's verdict: then
 * only what keeps the container from running is told as health. */
void keeper_tell_begin(const char *container, bool probed);
void keeper_tell_no_engine(const char *why);
/* What compose is about to do. */
void keeper_tell_up(struct keeper *k);
void keeper_tell_up_failed(const char *why);
void keeper_tell_running(struct keeper *k, const struct docker_container *c);
void keeper_tell_health(const struct docker_container *c);
void keeper_tell_docker(struct keeper *k, const struct docker_container *c);
void keeper_tell_exit(struct keeper *k);
/* The last death, without the container's name; "" when none is known. */
const char *keeper_last_words(void);

#endif
