/* SPDX-License-Identifier: ISC */
/*
 * Verbs that are done by svctl-more: it is looked for beside svctl as svctl
 * was called, then where it is installed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"

#define NAME	"svctl-more"
#ifndef SVTREE_PROGDIR		/* the build says where it is installed */
#define SVTREE_PROGDIR	"/usr/local/libexec/svtree"
#endif

int
ctl_exec_more(const struct ctl *c, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	char path[PATH_MAX + sizeof NAME], real[PATH_MAX];
	int saved = ENOENT;

	/* A link of another name may lie elsewhere. */
	if (slash != NULL && realpath(argv[0], real) != NULL) {
		(void)snprintf(path, sizeof path, "%.*s/" NAME,
		    (int)(strrchr(real, '/') - real), real);
		(void)execv(path, argv);
	}

	if (slash != NULL) {
		(void)snprintf(path, sizeof path, "%.*s/" NAME,
		    (int)(slash - argv[0]), argv[0]);
		(void)execv(path, argv);
		saved = errno;
	}
	(void)snprintf(path, sizeof path, "%s/" NAME, SVTREE_PROGDIR);
	(void)execv(path, argv);
	if (errno != ENOENT)
		saved = errno;
	(void)execvp(NAME, argv);
	(void)fprintf(stderr, "svctl: %s needs the program %s: %s; it comes "
	    "with make install\n", c->verb->name, path, strerror(saved));
	return CTL_FAILED;
}
