/* SPDX-License-Identifier: ISC */
/*
 * Runs a program under ptrace and sends it SIGKILL at its Nth system call
 * stop (entries and exits both count) from the moment it is armed. Linux.
 *
 * usage: kill_sweep N lock|signal HOLD_MS PROGRAM [ARGUMENT...]
 *
 * Armed by the program's own lock (fcntl F_SETLK), or by SIGUSR1 to us.
 * N = 0 never kills, only counts. Children that the program forks once armed
 * are held for HOLD_MS before they run their first instruction (0: not held).
 * SIGTERM to us kills the program at once. Prints one line: "killed N
 * entry|exit SYSCALL", or "idle COUNT" when told, or "ended COUNT STATUS".
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/ptrace.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELD_MAX	64

static volatile sig_atomic_t armed, told_to_end;
static long kill_at, stops, hold_ms;
static bool arm_by_lock;
static pid_t program;
static struct held { pid_t pid; int64_t until_ms; } held[HELD_MAX];
static int nheld;

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
on_signal(int signo)
{
	if (signo == SIGUSR1)
		armed = 1;
	else if (signo == SIGTERM)
		told_to_end = 1;
}

static void
release(void)
{
	int i, k;

	for (i = k = 0; i < nheld; i++) {
		if (now_ms() >= held[i].until_ms)
			(void)ptrace(PTRACE_DETACH, held[i].pid, 0, 0);
		else
			held[k++] = held[i];
	}
	nheld = k;
}

/* A new child, stopped before its first instruction. */
static void
hold(pid_t pid)
{
	if (nheld == HELD_MAX || !armed) {
		(void)ptrace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	held[nheld++] = (struct held){ pid, now_ms() + hold_ms };
}

/* Whoever is held, or was born a moment ago, finds out what has happened. */
static void
let_go(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) >= 0 ||
	    errno == EINTR) {
		if (pid > 0 && WIFSTOPPED(status))
			hold(pid);
		release();
		(void)poll(NULL, 0, 1);
	}
	exit(0);
}

/* Everything is over for the program; its children live on. */
static void
finish(const char *how, long nr)
{
	int status;

	(void)kill(program, SIGKILL);
	while (waitpid(program, &status, __WALL) < 0 && errno == EINTR)
		continue;
	if (how != NULL)
		printf("killed %ld %s %ld\n", stops, how, nr);
	else
		printf("idle %ld\n", stops);
	(void)fflush(stdout);
	let_go();
}

static void
at_system_call(void)
{
	struct __ptrace_syscall_info info;
	bool entry;
	long nr;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, program, (void *)sizeof info,
	    &info) < 0)
		return;
	entry = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	nr = entry ? (long)info.entry.nr : -1;
	if (arm_by_lock && nr == SYS_fcntl && info.entry.args[1] == F_SETLK)
		armed = 1;
	if (!armed)
		return;
	if (++stops == kill_at)
		finish(entry ? "entry" : "exit", nr);
}

static void
step(pid_t pid, int status)
{
	int signo = 0;

	if (pid != program) {
		if (WIFSTOPPED(status))
			hold(pid);
		return;
	}
	if (!WIFSTOPPED(status)) {
		printf("ended %ld %d\n", stops, status);
		let_go();
	}
	if (WSTOPSIG(status) == (SIGTRAP | 0x80))
		at_system_call();
	else if (status >> 16 == 0 && WSTOPSIG(status) != SIGTRAP)
		signo = WSTOPSIG(status);
	(void)ptrace(PTRACE_SYSCALL, program, 0, signo);
}

static void
begin(char **argv)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
	int status;

	program = fork();
	if (program == 0) {
		(void)signal(SIGUSR1, SIG_DFL);
		(void)signal(SIGTERM, SIG_DFL);
		(void)signal(SIGALRM, SIG_DFL);
		(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
		(void)raise(SIGSTOP);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (program < 0 || waitpid(program, &status, 0) < 0)
		exit(111);
	if (hold_ms > 0)
		options |= PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_TRACECLONE;
	(void)ptrace(PTRACE_SETOPTIONS, program, 0, options);
	(void)ptrace(PTRACE_SYSCALL, program, 0, 0);
}

int
main(int argc, char **argv)
{
	struct itimerval tick = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction sa = { .sa_handler = on_signal };
	int status;
	pid_t pid;

	if (argc < 5)
		return 100;
	kill_at = atol(argv[1]);
	arm_by_lock = strcmp(argv[2], "lock") == 0;
	hold_ms = atol(argv[3]);
	(void)sigaction(SIGUSR1, &sa, NULL);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGALRM, &sa, NULL);	/* no SA_RESTART: a tick */
	begin(argv + 4);
	(void)setitimer(ITIMER_REAL, &tick, NULL);
	for (;;) {
		if (told_to_end)
			finish(NULL, 0);
		release();
		pid = waitpid(-1, &status, __WALL);
		if (pid > 0)
			step(pid, status);
		else if (errno != EINTR)
			return 111;
	}
}
