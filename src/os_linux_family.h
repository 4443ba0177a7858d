/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OS_LINUX_FAMILY_H
#define SVTREE_OS_LINUX_FAMILY_H

#include <sys/types.h>

/* The members of the process group that leader leads, itself first, found
 * among its descendants and its siblings (parent's children, with theirs):
 * whoever loses his parent becomes such a sibling. Of many hundred siblings
 * only the oldest are looked at. Their number, or -1 when the kernel does not
 * tell children, or there are more than max. */
int family_of_group(pid_t leader, pid_t parent, pid_t *member, int max);

#endif
