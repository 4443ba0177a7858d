/* SPDX-License-Identifier: ISC */
/*
 * Other programs, asked with a deadline.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "svctl_run.h"

static void
child(char *const argv[], int out)
{
	int null = open("/dev/null", O_RDONLY);

	(void)setsid();		/* the deadline is for what it starts, too */
	(void)dup2(null, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	os_reset_signals();
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* Until it has closed its output or the deadline has come. */
static int
take_output(int fd, int64_t deadline, char *dst, size_t cap)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	char bytes[4096];
	int64_t left;
	ssize_t n;

	for (;;) {
		left = deadline - os_now_ms();
		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		n = read(fd, bytes, sizeof bytes);
		if (n <= 0)
			return 0;
		if (cap > 0 && (size_t)n > cap - 1 - len)
			n = (ssize_t)(cap - 1 - len);
		if (cap > 0) {
			memcpy(dst + len, bytes, (size_t)n);
			len += (size_t)n;
			dst[len] = '\0';
		}
	}
}

int
run_program(char *const argv[], int timeout_ms, char *dst, size_t cap)
{
	int64_t deadline = os_now_ms() + timeout_ms;
	int out[2], status = 0, late;
	pid_t pid;

	if (cap > 0)
		dst[0] = '\0';
	if (os_pipe(out) < 0)
		return -1;
	if ((pid = fork()) == 0)
		child(argv, out[1]);
	(void)close(out[1]);
	late = pid < 0 ? -1 : take_output(out[0], deadline, dst, cap);
	(void)close(out[0]);
	if (pid < 0)
		return -1;
	if (late < 0)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (late < 0 || !WIFEXITED(status)) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (WEXITSTATUS(status) == 127)
		errno = ENOENT;
	return WEXITSTATUS(status);
}

int
run_find(const char *name, char *dst, size_t cap)
{
	const char *path = getenv("PATH"), *end;
	char file[1024];

	for (; path != NULL && *path != '\0'; path = end + (*end == ':')) {
		end = path + strcspn(path, ":");
		(void)snprintf(file, sizeof file, "%.*s/%s",
		    (int)(end - path), path, name);
		if (access(file, X_OK) != 0)
			continue;
		if (dst != NULL)
			(void)snprintf(dst, cap, "%s", file);
		return 0;
	}
	return -1;
}
