/* SPDX-License-Identifier: ISC */
/*
 * Which service of the tree is meant: by name, by process, by session.
 */
#include <string.h>
#include <unistd.h>

#include "tree.h"

struct service *
tree_find_in(struct service *const *list, int n, const char *name)
{
	int low = 0, high = n - 1, mid, c;

	while (low <= high) {
		mid = (low + high) / 2;
		c = strcmp(name, list[mid]->conf->name);
		if (c == 0)
			return list[mid];
		if (c < 0)
			high = mid - 1;
		else
			low = mid + 1;
	}
	return NULL;
}

struct service *
tree_find(const struct tree *t, const char *name)
{
	return tree_find_in(t->sv, t->n, name);
}

struct service *
tree_find_child(const struct tree *t, pid_t pid)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->sv[i]->rec.pid == (int32_t)pid ||
		    t->sv[i]->aux_pid == pid || t->sv[i]->script_pid == pid)
			return t->sv[i];
	return NULL;
}

struct service *
tree_find_session(const struct tree *t, pid_t pid)
{
	pid_t leader = pid > 0 ? getsid(pid) : -1;
	int i;

	for (i = 0; i < t->n && leader > 1; i++)
		if (t->sv[i]->rec.pid == (int32_t)leader)
			return t->sv[i];
	return NULL;
}

bool
tree_is_over(const struct service *sv)
{
	const struct tree *t = sv->tree;

	return t->stopping && (t->log_over ||
	    strcmp(sv->conf->name, "svlog") != 0);
}
