/* SPDX-License-Identifier: ISC */
/*
 * setsid(1) for run scripts of runit that end with `exec setsid PROGRAM`.
 * runsv's children lead no process group, so there setsid(1) becomes PROGRAM;
 * those of svtree lead a session already, so it would fork, end, and leave
 * PROGRAM behind the supervisor's back. This one, first in the PATH of
 * services, has nothing to do where the session is there, and becomes PROGRAM
 * just so. It knows nothing of trees.
 */
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config.h"
#include "die.h"
#include "log.h"

/* As setsid(1) of util-linux, and as the shell. */
#define EXIT_CANNOT_RUN	126
#define EXIT_NOT_FOUND	127

static struct {
	bool	 ctty, fork, wait;
} opt;

static const char usage_text[] =
    "usage: setsid [-cfw] PROGRAM [ARGUMENT ...]\n"
    "Runs PROGRAM in a session of its own: in the same process, where that\n"
    "leads one already, as each service of svtree(8) does.\n"
    "  -c, --ctty     standard input becomes its terminal\n"
    "  -f, --fork     always in a new process\n"
    "  -w, --wait     with a new process, wait for its end and end so\n"
    "  -h, --help     this text\n"
    "  -V, --version  the version\n";

static void
take_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ctty", no_argument, NULL, 'c' },
		{ "fork", no_argument, NULL, 'f' },
		{ "wait", no_argument, NULL, 'w' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "+cfwhV", longs, NULL)) != -1)
		switch (c) {
		case 'c':
			opt.ctty = true;
			break;
		case 'f':
			opt.fork = true;
			break;
		case 'w':
			opt.wait = true;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(0);
		case 'V':
			(void)puts("setsid " PACKAGE_VERSION);
			exit(0);
		default:
			(void)fputs(usage_text, stderr);
			exit(EXIT_NO);
		}
	if (optind == argc)
		diex(EXIT_NO, "no program is given; setsid --help says more");
}

/* The end of the new process is ours, if we are to wait for it. */
static void
leave(pid_t pid)
{
	int status;

	if (!opt.wait)
		_exit(0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die(EXIT_NO, "wait for the new process");
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status));
}

/* A process group's leader cannot begin a session; a session's leader need
 * not. */
static void
begin_session(void)
{
	bool leads = getpgrp() == getpid();
	pid_t pid;

	if (leads && getsid(0) == getpid() && !opt.fork)
		return;
	if (leads || opt.fork) {
		if ((pid = fork()) < 0)
			die(EXIT_NO, "fork");
		if (pid > 0)
			leave(pid);
	}
	if (setsid() < 0)
		die(EXIT_NO, "begin a session");
}

int
main(int argc, char **argv)
{
	log_open("setsid");
	take_options(argc, argv);
	begin_session();
	if (opt.ctty && ioctl(STDIN_FILENO, TIOCSCTTY, 1) < 0)
		die(EXIT_NO, "take standard input as the terminal");
	(void)execvp(argv[optind], argv + optind);
	die(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN, "run %s",
	    argv[optind]);
}
