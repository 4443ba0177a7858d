/* SPDX-License-Identifier: ISC */
/*
 * The directories of a tree: defaults, and paths made absolute.
 */
#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "tree_dirs.h"

static void
default_dir(char *dst, size_t cap, const char *root_dir, const char *name)
{
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		(void)snprintf(dst, cap, "%s", root_dir);
	else
		(void)snprintf(dst, cap, "%s/.svtree/%s",
		    home != NULL ? home : "", name);
}

/* The tree of which we are a service gives us a place below its own. */
static bool
is_nested(struct tree *t)
{
	const char *name = getenv("SVTREE_SERVICE");
	const char *run = getenv("SVTREE_RUN"), *state = getenv("SVTREE_STATE");
	const char *log = getenv("SVTREE_LOG");

	if (name == NULL || run == NULL || state == NULL || log == NULL)
		return false;
	(void)snprintf(t->run, sizeof t->run, "%s/%s/tree", run, name);
	(void)snprintf(t->state, sizeof t->state, "%s/tree/%s", state, name);
	(void)snprintf(t->log, sizeof t->log, "%s/%s/tree", log, name);
	return true;
}

int
tree_dirs_default(struct tree *t, char *err)
{
	char run[PATH_MAX];

	default_dir(t->services, sizeof t->services, "/etc/svtree/services",
	    "services");
	if (is_nested(t))
		return 0;
	default_dir(t->state, sizeof t->state, "/var/lib/svtree", "state");
	default_dir(t->log, sizeof t->log, "/var/log/svtree", "log");
	if (client_run_dir(NULL, run, sizeof run) < 0)
		run[0] = '\0';
	if (strlen(run) >= sizeof t->run) {
		(void)snprintf(err, CONF_ERR_LEN, "%.300s: too long for a run "
		    "directory; give a shorter one with --run", run);
		return -1;
	}
	(void)strlcpy(t->run, run, sizeof t->run);
	return 0;
}

static int
make_all(char *path, char *err)
{
	char *p;

	for (p = path + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(path, 0755);
			*p = '/';
		}
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	(void)snprintf(err, CONF_ERR_LEN, "make directory %.300s: %s", path,
	    strerror(errno));
	return -1;
}

int
tree_dirs_settle(char *dir, size_t cap, bool make, char *err)
{
	char path[PATH_MAX];

	if (strlen(dir) >= sizeof path) {
		(void)snprintf(err, CONF_ERR_LEN, "%.300s: too long", dir);
		return -1;
	}
	(void)snprintf(path, sizeof path, "%s", dir);
	if (make && make_all(path, err) < 0)
		return -1;
	if (realpath(dir, path) == NULL) {
		(void)snprintf(err, CONF_ERR_LEN, "directory %.300s: %s", dir,
		    strerror(errno));
		return -1;
	}
	if (strlen(path) >= cap) {
		(void)snprintf(err, CONF_ERR_LEN, "%.300s: the path is too "
		    "long (at most %zu bytes)", path, cap - 1);
		return -1;
	}
	(void)snprintf(dir, cap, "%s", path);
	return 0;
}
