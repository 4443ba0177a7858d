/* SPDX-License-Identifier: ISC */
/*
 * Linux: what one process may set or take of another, or of itself.
 */
#include <sys/syscall.h>

#include <fcntl.h>
#include <sched.h>
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

#define MANY_FILES	128
#define SMALL_STACK	4096
#define UNSHARE		2u	/* CLOSE_RANGE_UNSHARE, Linux 5.9 */

static int
linger(void *arg)
{
	(void)arg;
	while (pause() < 0)
		continue;
	return 0;
}

/* Only who shares his table gets one of his own, as large as what he keeps of
 * it. So there is a thread to share it with, which exec ends. */
int
os_trim_files(int fd, int to)
{
	static _Alignas(16) char stack[SMALL_STACK];

	if (fd < MANY_FILES || fd <= to || dup2(fd, to) < 0 ||
	    os_cloexec(to) < 0)
		return fd;
	if (clone(linger, stack + sizeof stack, CLONE_VM | CLONE_FS |
	    CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, NULL) >= 0)
		(void)syscall(SYS_close_range, to + 1u, ~0u, UNSHARE);
	return to;
}
