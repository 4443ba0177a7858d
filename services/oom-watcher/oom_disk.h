/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_DISK_H
#define SVTREE_OOM_DISK_H

/*
 * The disks that the services write to: that of the logs, and those of the
 * model stores.
 */

/* Looks at each, and tells of one that has become short, or has room again.
 * Returns the percentage that is free on the fullest of those that are
 * short, -1 when none is. changed: one has changed. */
int disk_look(const char *logs, bool *changed);

#endif
