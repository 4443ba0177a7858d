/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_COMPOSE_H
#define SVTREE_COMPOSE_H

#include <stdbool.h>

#include "conf.h"
#include "json.h"

#define COMPOSE_ARGS 20

enum compose_kind { COMPOSE_UNKNOWN, COMPOSE_V2, COMPOSE_V1 };

/* The command that succeeds where `docker compose` (v2) is installed. */
extern char *const compose_probe[];
/* `up -d` for exactly the wanted service: what exists is neither recreated
 * nor built anew. alone: nor is anything started that it depends on. Points
 * into c; valid as long as that is. */
void compose_up(const struct conf_container *c, enum compose_kind kind,
    bool alone, const char *argv[COMPOSE_ARGS]);
/* Is there another container of the same compose file that is not to run
 * now? Then what this one depends on must not be started with it. services is
 * the list of the supervisor's status. */
bool compose_others_held(const struct json *j, int services,
    const struct conf_tree *t, const struct conf_service *own);

#endif
