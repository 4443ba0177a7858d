/* SPDX-License-Identifier: ISC */
/*
 * The least that a parent of services can do: floor spawn|fork|kept DIR starts
 * DIR/NAME/run for every NAME, starts again at once what dies, and at SIGTERM
 * ends all of them and waits. No record, no lock, no log, no control; kept
 * gives each what the kernel has to hold for svtree's promises: a session, a
 * directory with a lock that it holds and the FIFO that it writes to.
 */
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX	20000

extern char **environ;

static char name[MAX][48];
static pid_t pid[MAX];
static int n;
static bool by_fork, kept;
static volatile sig_atomic_t ending;

static void
end(int signo)
{
	(void)signo;
	ending = 1;
}

static void
keep(int i)
{
	char path[80];
	int lock, log;

	(void)setsid();
	(void)snprintf(path, sizeof path, ".run/%s", name[i]);
	(void)mkdir(path, 0755);
	(void)snprintf(path, sizeof path, ".run/%s/lock", name[i]);
	lock = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	(void)snprintf(path, sizeof path, ".run/%s/log", name[i]);
	(void)mkfifo(path, 0600);
	log = open(path, O_RDWR | O_CLOEXEC);
	if (dup2(lock, 0) < 0 || flock(0, LOCK_EX) < 0 ||
	    dup2(log, 1) < 0 || dup2(log, 2) < 0)
		_exit(111);
}

static pid_t
start(int i)
{
	static char *argv[] = { (char *)"./run", NULL };
	posix_spawn_file_actions_t fds;
	pid_t child = -1;

	if (!by_fork) {
		(void)posix_spawn_file_actions_init(&fds);
		(void)posix_spawn_file_actions_addchdir_np(&fds, name[i]);
		if (posix_spawn(&child, "./run", &fds, NULL, argv,
		    environ) != 0)
			child = -1;
		(void)posix_spawn_file_actions_destroy(&fds);
		return child;
	}
	child = fork();
	if (child == 0) {
		if (kept)
			keep(i);
		if (chdir(name[i]) == 0)
			(void)execve("./run", argv, environ);
		_exit(111);
	}
	return child;
}

static int
index_of(pid_t p)
{
	int i;

	for (i = 0; i < n; i++)
		if (pid[i] == p)
			return i;
	return -1;
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = end };
	struct dirent *e;
	pid_t p;
	DIR *d;
	int i;

	if (argc != 3 || chdir(argv[2]) < 0 || (d = opendir(".")) == NULL) {
		(void)fputs("usage: floor spawn|fork|kept DIR\n", stderr);
		return 100;
	}
	kept = strcmp(argv[1], "kept") == 0;
	by_fork = kept || strcmp(argv[1], "fork") == 0;
	if (kept)
		(void)mkdir(".run", 0755);
	(void)sigaction(SIGTERM, &sa, NULL);
	while ((e = readdir(d)) != NULL && n < MAX)
		if (e->d_name[0] != '.' && strlen(e->d_name) < sizeof *name)
			(void)strcpy(name[n++], e->d_name);
	(void)closedir(d);
	for (i = 0; i < n; i++)
		pid[i] = start(i);
	while (!ending) {
		p = waitpid(-1, NULL, 0);
		if (p > 0 && !ending && (i = index_of(p)) >= 0)
			pid[i] = start(i);
	}
	for (i = 0; i < n; i++)
		(void)kill(pid[i], SIGTERM);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		continue;
	return 0;
}
