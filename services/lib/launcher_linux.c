/* SPDX-License-Identifier: ISC */
/* Linux: the control group of a process names its unit or its container. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "launcher.h"

#define CGROUP_MAX	1024

static void
read_cgroup(const char *pid, char *dst)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%s/cgroup", pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
		n = read(fd, dst, CGROUP_MAX - 1);
		(void)close(fd);
	}
	dst[n > 0 ? n : 0] = '\0';
}

void
launcher_advice(pid_t pid, const char *name, char *dst, size_t cap)
{
	char theirs[CGROUP_MAX], ours[CGROUP_MAX], number[24];

	(void)snprintf(number, sizeof number, "%ld", (long)pid);
	read_cgroup(number, theirs);
	read_cgroup("self", ours);
	launcher_of_cgroup(theirs, ours, name, dst, cap);
}
