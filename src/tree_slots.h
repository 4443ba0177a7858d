/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_TREE_SLOTS_H
#define SVTREE_TREE_SLOTS_H

#include "tree.h"

/* tree.c: a service without a slot; NULL when memory is short. */
struct service *tree_make_service(struct tree *t,
    const struct conf_service *conf, struct definitions *defs);
/* A free slot for a new service; the table grows as needed. 0 or -1. */
int tree_give_slot(struct tree *t, struct service *sv);
void tree_free_slot(struct tree *t, int slot);
/* At start: the records of an earlier supervisor go to the services of their
 * name, *all grows by those that run without a directory. 0 or -1. */
int tree_match_records(struct tree *t, struct service ***all, int *n);

#endif
