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

/* A note is a hint, never a truth: it is overwritten when two pids share its
 * place, and then the list is searched. */
void
tree_note_pid(const struct service *sv, pid_t pid)
{
	const struct tree *t = sv->tree;

	if (t->hint != NULL && pid > 0)
		t->hint[(unsigned)pid & t->hint_mask] = (uint32_t)sv->slot;
}

static struct service *
noted(const struct tree *t, pid_t pid)
{
	uint32_t slot;

	if (t->hint == NULL || pid <= 0)
		return NULL;
	slot = t->hint[(unsigned)pid & t->hint_mask];
	return slot < (uint32_t)t->table.slots ? t->slot[slot] : NULL;
}

static bool
is_its_child(const struct service *sv, pid_t pid)
{
	return sv->rec.pid == (int32_t)pid || sv->aux_pid == pid ||
	    sv->script_pid == pid;
}

struct service *
tree_find_child(const struct tree *t, pid_t pid)
{
	struct service *sv = noted(t, pid);
	int i;

	if (sv != NULL && is_its_child(sv, pid))
		return sv;
	for (i = 0; i < t->n; i++)
		if (is_its_child(t->sv[i], pid))
			return t->sv[i];
	return NULL;
}

struct service *
tree_find_pid(const struct tree *t, pid_t pid)
{
	struct service *sv = noted(t, pid);
	int i;

	if (sv != NULL && sv->rec.pid == (int32_t)pid)
		return sv;
	for (i = 0; i < t->n; i++)
		if (t->sv[i]->rec.pid == (int32_t)pid)
			return t->sv[i];
	return NULL;
}

struct service *
tree_find_session(const struct tree *t, pid_t pid)
{
	pid_t leader = pid > 0 ? getsid(pid) : -1;

	return leader > 1 ? tree_find_pid(t, leader) : NULL;
}

bool
tree_is_over(const struct service *sv)
{
	const struct tree *t = sv->tree;

	return t->stopping && (t->log_over ||
	    strcmp(sv->conf->name, "svlog") != 0);
}
