/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_UPGRADE_FDS_H
#define SVTREE_UPGRADE_FDS_H

#include "tree.h"

/*
 * Which descriptors live through an upgrade, and the file that says so:
 * run/handover, a line each, "KIND NUMBER DESCRIPTOR"; the first line is the
 * process that it is meant for.
 */

/* Writes the file and lets them through exec. 0, or -1 with errno and
 * nothing is let through. */
int upgrade_fds_write(const struct tree *t);
/* No exec after all: close-on-exec again, no file. */
void upgrade_fds_forget(const struct tree *t);

#endif
