/* SPDX-License-Identifier: ISC */
/*
 * Between fork and exec, in the child: session, lock, gate, log, what the
 * process is to be, program. The order matters: the lock is descriptor 0
 * before the gate is asked, so nobody runs without both. What fails is told
 * through the gate; nothing is printed here.
 */
#include <sys/file.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "service.h"
#include "spawn_child.h"

#define LOGGER_LOCK	3	/* conf_logger.c keeps it free */

static int gate_fd = -1;

void
spawn_fail(const char *fmt, ...)
{
	struct gate_word w = { .error = errno };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w.step, sizeof w.step, fmt, ap);
	va_end(ap);
	if (gate_fd >= 0)
		(void)!write(gate_fd, &w, sizeof w);
	_exit(111);
}

/* Moves fd onto to and lets it live through exec. */
static void
place(int fd, int to)
{
	if (fd == to)
		(void)fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, to) < 0)
		spawn_fail("place descriptor %d", to);
}

/* The lowest number that is nobody's place, nor is any above it. */
static int
first_free(const struct conf_service *c)
{
	int n = c->logs != NULL ? LOGGER_LOCK + 1 : 3 + c->sockets.n;

	return c->ready == READY_FD && c->ready_fd >= n ? c->ready_fd + 1 : n;
}

/* Out of the places that sockets and readiness have below. */
static int
lift(const struct service *sv, int fd)
{
	int lowest = first_free(sv->conf);

	if (fd < lowest)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	if (fd < 0)
		spawn_fail("move a descriptor");
	return fd;
}

/* From 3 on, as sd_listen_fds(3) expects them, and as a program does that
 * knows nothing of it: blocking. */
static void
place_sockets(const struct service *sv)
{
	int fd[CONF_SOCKETS_MAX], i, flags;

	for (i = 0; i < sv->conf->sockets.n; i++)
		fd[i] = lift(sv, sv->sock[i]);
	for (i = 0; i < sv->conf->sockets.n; i++) {
		if ((flags = fcntl(fd[i], F_GETFL)) >= 0)
			(void)fcntl(fd[i], F_SETFL, flags & ~O_NONBLOCK);
		place(fd[i], 3 + i);
	}
}

/* The FIFO is open read-write, here too: the service itself keeps a read end,
 * so that the death of all others is no SIGPIPE and loses nothing. */
static void
place_log(const struct service *sv)
{
	place(sv->log_fd, 1);
	place(sv->log_fd, 2);
}

/* A path, or a name in the PATH of the service; returns when it cannot be
 * run. A path that is no program is not given to a shell. */
static void
run_any(char *const arg[])
{
	(void)(strchr(arg[0], '/') != NULL ? execv : execvp)(arg[0], arg);
}

static void
run_program(const struct service *sv)
{
	const struct conf_list *exec = &sv->conf->exec;
	char run[1200];
	/* As s6-instance and nitro: an instance is told which one it is. */
	char *by_run[3] = { run, sv->conf->instance, NULL };
	char **arg = exec->n > 0 ? exec->v : by_run;

	(void)snprintf(run, sizeof run, "%s/run", sv->conf->dir);
	run_any(arg);
	spawn_fail("run %s", arg[0]);
}

static void
take_lock(const struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd, at = sv->conf->logs != NULL ? LOGGER_LOCK : 0;

	service_path(sv, "lock", path, sizeof path);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		spawn_fail("open the lock");
	/* Descriptor 0, because a daemon that closes all others keeps it; a
	 * logger has its input there. */
	place(fd, at);
	if (flock(at, LOCK_EX | LOCK_NB) < 0)
		spawn_fail(GATE_STEP_LOCK);
}

/* Read-only, so that the end of the last writer is the end of the input. */
static void
place_input(const struct service *sv)
{
	const struct service *writer = logger_main(sv->tree, sv);
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd;

	if (sv->conf->logs == NULL || writer == NULL)
		return;
	service_fifo(writer, path, sizeof path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0)
		spawn_fail("open its input");
	place(fd, 0);
}

/* The user, looked up afresh, and its environment. */
static void
prepare(const struct service *sv, bool leader, struct conf_user *u)
{
	char err[CONF_ERR_LEN];

	errno = 0;
	if (conf_user(sv->conf, u, err) < 0) {
		errno = 0;
		spawn_fail("find its user: %s", err);
	}
	if (spawn_env(sv, u, leader, err) < 0) {
		errno = 0;
		spawn_fail("make its environment: %s", err);
	}
}

/* runsv's control/u: run, and waited for, before each start, with the rights
 * of the supervisor; what becomes of it does not matter. */
static void
run_up_script(const struct service *sv)
{
	char path[1200];
	char *arg[] = { path, NULL };
	int fd, status;
	pid_t pid;

	if (!service_script(sv, 'u', path, sizeof path))
		return;
	if ((pid = fork()) == 0) {
		/* Not the lock: it must not outlive the service. */
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0)
			(void)dup2(fd, 0);
		if (chdir(sv->conf->dir) == 0)
			(void)execv(path, arg);
		_exit(111);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
}

/* Its own files of the run directory. */
static void
give_away(const struct service *sv, const struct conf_user *u)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];

	if (u->uid < 0)
		return;
	(void)!fchown(sv->log_fd, (uid_t)u->uid, (gid_t)-1);
	if (!service_may_notify(sv->conf))
		return;
	service_path(sv, "notify", path, sizeof path);
	(void)!chown(path, (uid_t)u->uid, (gid_t)-1);
}

void
spawn_child(const struct service *sv, int gate, int ready_fd)
{
	struct conf_user u;
	char byte;

	gate_fd = gate = lift(sv, gate);
	if (ready_fd >= 0)
		ready_fd = lift(sv, ready_fd);
	(void)setsid();
	os_reset_signals();
	take_lock(sv);
	/* End of file: the supervisor died before it recorded us. */
	if (read(gate, &byte, 1) != 1)
		_exit(111);
	prepare(sv, true, &u);
	give_away(sv, &u);
	place_log(sv);
	place_input(sv);
	run_up_script(sv);
	place_sockets(sv);
	if (ready_fd >= 0)
		place(ready_fd, sv->conf->ready_fd);
	gate_fd = os_trim_files(gate_fd, first_free(sv->conf));
	spawn_become(sv, &u);
	run_program(sv);
	_exit(111);
}

/* finish may end while there is no supervisor, and its word to hold the
 * service must not be lost: whoever is on record waits for the script, and
 * leaves the word in the run directory. Returns in the script. */
static void
keep_word(const struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int status = 0;
	sigset_t all;
	pid_t pid = fork();

	if (pid <= 0)		/* without memory for two: the word is lost */
		return;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	os_close_from(0);	/* nobody waits for their end because of us */
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status))
		_exit(111);
	if (WEXITSTATUS(status) == FINISH_HOLD) {
		service_path(sv, HOLD_FILE, path, sizeof path);
		(void)!open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	}
	_exit(WEXITSTATUS(status));
}

void
spawn_child_aux(const struct service *sv, char *const arg[], int in, int gate)
{
	struct conf_user u;
	char byte;

	(void)setsid();
	os_reset_signals();
	if (gate >= 0 && read(gate, &byte, 1) != 1)
		_exit(111);
	if (gate >= 0)
		keep_word(sv);
	if (in < 0)
		in = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (in >= 0)
		place(in, 0);
	prepare(sv, false, &u);
	place_log(sv);
	spawn_become(sv, &u);
	run_any(arg);
	_exit(111);
}
