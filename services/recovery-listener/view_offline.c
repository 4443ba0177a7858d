/* SPDX-License-Identifier: ISC */
/*
 * The status when no supervisor answers: svctl reads the records that it left
 * and prints them in the same form. It is a child with a deadline; what it
 * said is kept for a moment.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "view.h"

#define LIMIT_MS	1000
#define KEEP_MS		1000
#define TEXT_MAX	(4 * 1024 * 1024)

extern char **environ;

static char text[TEXT_MAX];
static size_t text_len;
static int64_t text_ms;		/* when it was read; 0 never */

/* Its pid, and what it prints at *fd. */
static pid_t
spawn(int *fd)
{
	char *argv[] = { (char *)(uintptr_t)"svctl",
	    (char *)(uintptr_t)"--json", (char *)(uintptr_t)"status", NULL };
	posix_spawn_file_actions_t fa;
	pid_t pid = -1;
	int out[2], rc;

	if (os_pipe(out) < 0)
		return -1;
	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	(void)posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY,
	    0);
	(void)posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY,
	    0);
	rc = posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)close(out[1]);
	if (rc != 0) {
		(void)close(out[0]);
		errno = rc;
		return -1;
	}
	*fd = out[0];
	return pid;
}

/* Until the end of file or the deadline. True at the end of file. */
static bool
read_all(int fd, int64_t deadline_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int64_t left;
	ssize_t n;

	text_len = 0;
	while ((left = deadline_ms - os_now_ms()) > 0) {
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, text + text_len, sizeof text - text_len);
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			text_len += (size_t)n;
		if (text_len == sizeof text)
			return false;
	}
	return false;
}

int
view_offline(const char **dst, size_t *len, char *err)
{
	int64_t now = os_now_ms();
	bool whole;
	pid_t pid;
	int fd;

	*dst = text;
	*len = text_len;
	if (text_ms != 0 && now - text_ms < KEEP_MS && text_len > 0)
		return 0;
	if ((pid = spawn(&fd)) < 0) {
		(void)snprintf(err, CLIENT_ERR_LEN, "run svctl: %s",
		    strerror(errno));
		return -1;
	}
	whole = read_all(fd, now + LIMIT_MS);
	(void)close(fd);
	if (!whole)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (!whole)
		text_len = 0;
	text_ms = os_now_ms();
	*len = text_len;
	if (text_len > 0 && text[0] == '{')
		return 0;
	(void)snprintf(err, CLIENT_ERR_LEN,
	    "no supervisor, and no records of one");
	return -1;
}
