/* SPDX-License-Identifier: ISC */
/* macOS: the path of the program tells an app or Homebrew, the parent
 * launchd. */
#include <sys/types.h>

#include <libproc.h>

#include "launcher.h"

void
launcher_advice(pid_t pid, const char *name, char *dst, size_t cap)
{
	char path[PROC_PIDPATHINFO_MAXSIZE];
	struct proc_bsdshortinfo info;
	int n;

	(void)name;	/* the path says more */
	dst[0] = '\0';
	n = proc_pidpath(pid, path, sizeof path);
	if (n <= 0 || (size_t)n >= sizeof path)
		return;
	path[n] = '\0';
	n = proc_pidinfo(pid, PROC_PIDT_SHORTBSDINFO, 0, &info, sizeof info);
	launcher_of_path(path, n == (int)sizeof info ?
	    (pid_t)info.pbsi_ppid : 0, dst, cap);
}
