/* SPDX-License-Identifier: ISC */
/*
 * What every POSIX system does alike: wall clock, descriptors, signal state.
 * Knows nothing of services.
 */
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

int64_t
os_wall_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int
os_cloexec(int fd)
{
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int
os_nonblock(int fd)
{
	int flags;

	if ((flags = fcntl(fd, F_GETFL)) < 0)
		return -1;
	return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void
os_drop(int *fd)
{
	if (*fd < 0)
		return;
	(void)os_watch(*fd, 0, 0);
	(void)close(*fd);
	*fd = -1;
}

/* One thread: nothing can fork between the call and the flag. */
int
os_pipe(int fd[2])
{
	if (pipe(fd) < 0)
		return -1;
	(void)os_cloexec(fd[0]);
	(void)os_cloexec(fd[1]);
	return 0;
}

int
os_socketpair(int fd[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) < 0)
		return -1;
	(void)os_cloexec(fd[0]);
	(void)os_cloexec(fd[1]);
	return 0;
}

int
os_bind_path(const char *path, int type, mode_t mode)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlcpy(sun.sun_path, path, sizeof sun.sun_path) >=
	    sizeof sun.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((fd = socket(AF_UNIX, type, 0)) < 0)
		return -1;
	(void)unlink(sun.sun_path);
	if (os_cloexec(fd) == 0 && os_nonblock(fd) == 0 &&
	    bind(fd, (struct sockaddr *)&sun, sizeof sun) == 0 &&
	    chmod(sun.sun_path, mode) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

void
os_reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int signo;

	for (signo = 1; signo < NSIG; signo++)
		(void)sigaction(signo, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static struct rlimit files_before;
static bool files_raised;

void
os_files_raise(void)
{
	struct rlimit rl;

	if (files_raised || getrlimit(RLIMIT_NOFILE, &files_before) < 0)
		return;
	rl = files_before;
	rl.rlim_cur = rl.rlim_max;
	files_raised = setrlimit(RLIMIT_NOFILE, &rl) == 0;
	if (files_raised)
		return;
	/* macOS knows a lower bound of its own, OPEN_MAX. */
	rl.rlim_cur = 10240;
	files_raised = files_before.rlim_cur < rl.rlim_cur &&
	    setrlimit(RLIMIT_NOFILE, &rl) == 0;
}

void
os_files_restore(void)
{
	if (files_raised)
		(void)setrlimit(RLIMIT_NOFILE, &files_before);
}
