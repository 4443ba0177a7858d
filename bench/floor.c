/* SPDX-License-Identifier: ISC */
/*
 * The least that a parent of services can do: floor spawn|fork DIR starts
 * DIR/NAME/run for every NAME, starts again at once what dies, and at SIGTERM
 * ends all of them and waits. No record, no lock, no log, no control.
 */
#include <sys/wait.h>

#include <dirent.h>
#include <errno.h>
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
static bool by_fork;
static volatile sig_atomic_t ending;

static void
end(int signo)
{
	(void)signo;
	ending = 1;
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
		(void)fputs("usage: floor spawn|fork DIR\n", stderr);
		return 100;
	}
	by_fork = strcmp(argv[1], "fork") == 0;
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
