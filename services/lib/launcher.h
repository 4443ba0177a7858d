/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_LAUNCHER_H
#define SVTREE_LAUNCHER_H

#include <sys/types.h>

#include <stddef.h>

/*
 * Who started a process that is in the way, in the form of what stops it for
 * good: killing it is of no use when its launcher starts it again.
 */

/* "systemctl disable --now ollama"; "" when nobody is known. name: of the
 * process, as ps shows it. */
void launcher_advice(pid_t pid, const char *name, char *dst, size_t cap);

/* What the systems' files go by; pure. cgroup: /proc/PID/cgroup; own: that of
 * this process, for what shares our unit is no launcher's. A unit whose name
 * does not hold that of the process (cron, docker) serves others, too. */
void launcher_of_cgroup(const char *cgroup, const char *own,
    const char *name, char *dst, size_t cap);
/* path: of the program; ppid: its parent, 0 unknown. */
void launcher_of_path(const char *path, pid_t ppid, char *dst, size_t cap);

#endif
