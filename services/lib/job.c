/* SPDX-License-Identifier: ISC */
/*
 * One command at a time, never waited for. Owns the process, its output and
 * its deadline; does not know what the command is for.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "job.h"
#include "os.h"

#define KILL_MS		2000
#define EXIT_NO_PROGRAM	127

static void
child(char *const argv[], enum job_group group, int out)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (group == JOB_APART)
		(void)setsid();
	if (group == JOB_MUTE)
		out = null;
	os_reset_signals();
	/* Descriptor 0 holds the service's lock: it is not for others. */
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(EXIT_NO_PROGRAM);
	os_close_from(3);
	(void)execvp(argv[0], argv);
	(void)dprintf(2, "exec %s: %s\n", argv[0], strerror(errno));
	_exit(EXIT_NO_PROGRAM);
}

int
job_start(struct job *j, char *const argv[], enum job_group group,
    int64_t timeout_ms)
{
	int fd[2], saved;

	(void)memset(j, 0, sizeof *j);
	if (os_pipe(fd) < 0)
		return -1;
	if (os_nonblock(fd[0]) == 0 && (j->pid = fork()) >= 0) {
		if (j->pid == 0)
			child(argv, group, fd[1]);
		(void)close(fd[1]);
		j->out = fd[0];
		j->deadline_ms = os_now_ms() + timeout_ms;
		return 0;
	}
	saved = errno;
	j->pid = 0;
	(void)close(fd[0]);
	(void)close(fd[1]);
	errno = saved;
	return -1;
}

static void
take_char(struct job *j, char c)
{
	if (c == '\n' || c == '\r') {
		j->line[j->len] = '\0';
		if (j->len > 0)
			(void)memcpy(j->last, j->line, j->len + 1u);
		j->len = 0;
	} else if (j->len < sizeof j->line - 1) {
		j->line[j->len++] = (unsigned char)c < ' ' ? ' ' : c;
	}
}

static void
relay(struct job *j)
{
	char text[4096];
	ssize_t n, i;

	while ((n = read(j->out, text, sizeof text)) > 0) {
		(void)!write(1, text, (size_t)n);
		for (i = 0; i < n; i++)
			take_char(j, text[i]);
	}
	/* At the end the wait must not be woken for it for ever. */
	if (n == 0) {
		take_char(j, '\n');
		(void)close(j->out);
		j->out = -1;
	}
}

static void
push(struct job *j, int64_t now_ms)
{
	if (now_ms < j->deadline_ms)
		return;
	(void)kill(j->pid, j->late ? SIGKILL : SIGTERM);
	j->late = true;
	j->deadline_ms = now_ms + KILL_MS;
}

bool
job_step(struct job *j, int64_t now_ms)
{
	pid_t pid;

	if (j->pid == 0)
		return false;
	if (j->out >= 0)
		relay(j);
	pid = waitpid(j->pid, &j->status, WNOHANG);
	if (pid == 0) {
		push(j, now_ms);
		return false;
	}
	if (pid < 0 && errno == EINTR)
		return false;
	if (pid < 0)
		j->status = EXIT_NO_PROGRAM << 8;
	if (j->out >= 0) {
		relay(j);
		take_char(j, '\n');
	}
	/* What it left behind may hold the pipe open: not our concern. */
	if (j->out >= 0)
		(void)close(j->out);
	j->out = -1;
	j->pid = 0;
	return true;
}

bool
job_is_good(const struct job *j)
{
	return !j->late && WIFEXITED(j->status) &&
	    WEXITSTATUS(j->status) == 0;
}

void
job_words(const struct job *j, char *dst, int cap)
{
	const char *colon = j->last[0] != '\0' ? ": " : "";

	if (j->late)
		(void)snprintf(dst, (size_t)cap, "took too long%s%s", colon,
		    j->last);
	else if (WIFEXITED(j->status))
		(void)snprintf(dst, (size_t)cap, "exited with %d%s%s",
		    WEXITSTATUS(j->status), colon, j->last);
	else
		(void)snprintf(dst, (size_t)cap, "killed by %s%s%s",
		    conf_signal_name(WTERMSIG(j->status)), colon, j->last);
}
