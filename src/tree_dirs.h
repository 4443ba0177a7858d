/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_TREE_DIRS_H
#define SVTREE_TREE_DIRS_H

#include "tree.h"

/*
 * Where a tree has its directories when the command line does not say: those
 * of the system for root, below ~/.svtree for anybody else; and for a tree
 * that is itself a service, below the directories of the tree above it.
 */

/* Fills services, run, state and log. 0, or -1 with the reason in err. */
int tree_dirs_default(struct tree *t, char *err);
/* Makes dir absolute and free of links; makes it and its parents when make is
 * set. 0, or -1 with the reason in err. */
int tree_dirs_settle(char *dir, size_t cap, bool make, char *err);

#endif
