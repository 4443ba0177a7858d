/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_TREE_H
#define SVTREE_KEEPER_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/* What the supervisor knows and the keeper asks. An answer that does not
 * come is as if there were nothing to tell. */

/* How the keeper before us ended: its exit code (0 also when a signal killed
 * it), and when. False when there was none. */
bool keeper_past(const char *service, int *code, int64_t *at_us);
/* compose_others_held, with the status of now. */
bool keeper_others_held(const struct conf_tree *t,
    const struct conf_service *own);
/* Asks to be stopped, as svctl stop would. */
bool keeper_ask_stop(const char *service, const char *reason);

#endif
