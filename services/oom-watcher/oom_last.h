/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_LAST_H
#define SVTREE_OOM_LAST_H

#include <stdbool.h>

/*
 * The last rung, on request: when memory stays critical although models were
 * unloaded, the largest service with [health] expendable is restarted.
 * To be called at each look at the host.
 */
void last_look(bool is_critical);

#endif
