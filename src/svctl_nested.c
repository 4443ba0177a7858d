/* SPDX-License-Identifier: ISC */
/*
 * Trees within trees: a service that is a svtree of its own has its run
 * directory below that of the tree above, and its services are addressed as
 * TREE/NAME.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"

#define DEPTH_MAX	8

/* The run directory of the tree that the service name is, if it is one. */
static bool
find_inner(const char *run, const char *name, size_t len, char *dst,
    size_t cap)
{
	char path[512], outer[512];

	if (client_run_dir(run, outer, sizeof outer) < 0 ||
	    snprintf(dst, cap, "%s/%.*s/tree", outer, (int)len, name) >=
	    (int)cap || snprintf(path, sizeof path, "%s/control", dst) >=
	    (int)sizeof path)
		return false;
	return access(path, F_OK) == 0;
}

/* Do all names lie in the tree that the first one begins with? */
static bool
all_in(struct ctl *c, int first, size_t len)
{
	int i;

	for (i = first; i < c->n; i++)
		if (strncmp(c->name[i], c->name[first], len + 1) != 0)
			return false;
	return true;
}

int
ctl_enter(struct ctl *c)
{
	static char inner[2][512];
	int first = strcmp(c->verb->name, "signal") == 0 ? 1 : 0;
	int depth, i;
	size_t len;

	for (depth = 0; depth < DEPTH_MAX && c->n > first; depth++) {
		len = strcspn(c->name[first], "/");
		if (strcmp(c->name[first] + len, "/log") == 0)
			return CTL_OK;	/* a logger, of a tree maybe */
		if (c->name[first][len] != '/' || !find_inner(c->run,
		    c->name[first], len, inner[depth % 2], sizeof inner[0]))
			return CTL_OK;
		if (!all_in(c, first, len)) {
			(void)fprintf(stderr, "svctl: %s is in another tree "
			    "than the rest; one tree at a time is right\n",
			    c->name[first]);
			return CTL_USAGE;
		}
		c->run = inner[depth % 2];
		for (i = first; i < c->n; i++)
			c->name[i] += len + 1;
		if (c->name[first][0] == '\0')	/* TREE/: all of it */
			c->n = first;
	}
	return CTL_OK;
}

/* What is in the tree that the service name is, behind it in the list; shown
 * is the name that it goes by there. */
static void
add_inner(const struct ctl *c, struct list *l, const char *name,
    const char *shown, int depth)
{
	struct list inner = { .sv = NULL };
	char run[512], err[CLIENT_ERR_LEN];
	struct ctl sub = *c;
	struct sv named;
	int i;

	if (depth > DEPTH_MAX ||
	    !find_inner(c->run, name, strlen(name), run, sizeof run))
		return;
	sub.run = run;
	sub.client = sub.events = (struct client){ .fd = -1 };
	if (client_open(&sub.client, run, err) == 0 &&
	    ctl_list(&sub, NULL, 0, &inner, false) == CTL_OK)
		for (i = 0; i < inner.n; i++) {
			named = inner.sv[i];
			(void)snprintf(named.name, sizeof named.name,
			    "%.30s/%.32s", shown, inner.sv[i].name);
			ctl_gather(l, &named);
			add_inner(&sub, l, inner.sv[i].name, named.name,
			    depth + 1);
		}
	client_close(&sub.client);
	ctl_list_free(&inner);
}

/* A directory that nothing but itself and its parent links to has none
 * below; where links are not counted so, there may be one. */
static bool
may_have_tree(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, 0) == 0 && st.st_nlink != 2;
}

/* Most trees have none within: asked first, with short paths. */
static bool
has_inner(const struct ctl *c, const struct list *l)
{
	char run[512], path[sizeof l->sv->name + 16];
	int i, dir;

	if (client_run_dir(c->run, run, sizeof run) < 0 ||
	    (dir = open(run, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return false;
	for (i = 0; i < l->n; i++) {
		if (!may_have_tree(dir, l->sv[i].name))
			continue;
		(void)snprintf(path, sizeof path, "%s/tree/control",
		    l->sv[i].name);
		if (faccessat(dir, path, F_OK, 0) == 0)
			break;
	}
	(void)close(dir);
	return i < l->n;
}

void
ctl_nest(const struct ctl *c, struct list *l)
{
	struct list flat = *l;
	int i;

	if (!has_inner(c, l))
		return;
	*l = (struct list){ .sup = flat.sup };
	for (i = 0; i < flat.n; i++) {
		ctl_gather(l, &flat.sv[i]);
		add_inner(c, l, flat.sv[i].name, flat.sv[i].name, 1);
	}
	ctl_list_free(&flat);
}
