/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_JOB_H
#define SVTREE_SVCTL_JOB_H

#include "svctl.h"
#include "svctl_install.h"

/* What svctl install and uninstall have in hand. */
struct installing {
	struct ctl *c;
	struct machine m;
	struct job j;
};

#define COMMAND_MS	60000

/* Shows a command and runs it, unless it is for another root. Its exit
 * status, -1 when it could not be run; told. */
int install_command(const struct installing *in, const char *text,
    int timeout_ms);
/* 0, or -1 when the manager finds fault with the file. */
int install_lint(struct installing *in);
int install_start(struct installing *in);
void install_stop(struct installing *in);
/* A supervisor that runs already leaves its services. -1: it does not. */
int install_detach_running(struct installing *in);
/* The exit status. */
int install_wait_for_answer(struct installing *in);

#endif
