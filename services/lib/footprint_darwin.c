/* SPDX-License-Identifier: ISC */
/*
 * macOS: libproc. Of another user's process root alone is told.
 */
#include <libproc.h>

#include "footprint.h"

#define MAX_FDS	4096

void
footprint_of(pid_t pid, int64_t *resident, int64_t *descriptors)
{
	static struct proc_fdinfo fds[MAX_FDS];
	struct proc_taskinfo info;
	int n;

	n = proc_pidinfo((int)pid, PROC_PIDTASKINFO, 0, &info,
	    (int)sizeof info);
	*resident = n == (int)sizeof info ?
	    (int64_t)info.pti_resident_size : -1;
	n = proc_pidinfo((int)pid, PROC_PIDLISTFDS, 0, fds, (int)sizeof fds);
	*descriptors = n > 0 ? n / (int)sizeof fds[0] : -1;
}
