/* SPDX-License-Identifier: ISC */
/*
 * Linux: what one process may set or take of another, or of itself.
 */
#include <sys/syscall.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os.h"

int
os_oom_score(int adj)
{
	char text[16];
	ssize_t n;
	int fd;

	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	(void)snprintf(text, sizeof text, "%d", adj);
	n = write(fd, text, strlen(text));
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

/* pidfd_getfd(2), Linux 5.6; needs the rights of a tracer. */
int
os_fd_of(pid_t pid, uint64_t start, int fd)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), got = -1;
	uint64_t now;

	if (pidfd < 0)
		return -1;
	if (os_proc_start(pid, &now) == 0 && now == start)
		got = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	(void)close(pidfd);
	return got;
}
