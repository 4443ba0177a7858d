/* SPDX-License-Identifier: ISC */
/*
 * Where the running tree of this user is.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"

int
client_run_dir(const char *run, char *dst, size_t cap)
{
	const char *value, *tail = "";

	if ((value = run) == NULL || run[0] == '\0')
		value = getenv("SVTREE_RUN");
	if (value == NULL || value[0] == '\0') {
		if (geteuid() == 0) {
			value = access("/run", X_OK) == 0 ? "/run/svtree" :
			    "/var/run/svtree";
		} else if ((value = getenv("XDG_RUNTIME_DIR")) != NULL &&
		    value[0] == '/') {
			tail = "/svtree";
		} else if ((value = getenv("HOME")) != NULL) {
			tail = "/.svtree/run";
		} else {
			errno = ENOENT;
			return -1;
		}
	}
	if ((size_t)snprintf(dst, cap, "%s%s", value, tail) >= cap) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return 0;
}
