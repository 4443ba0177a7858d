/* SPDX-License-Identifier: ISC */
/*
 * The descriptors that an upgrade keeps open: a table of whose they are. It
 * knows their places, not what is done with them.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "os.h"
#include "upgrade.h"
#include "upgrade_fds.h"

static const struct place {
	const char *kind;
	bool	 of_service;
	size_t	 at;		/* in its struct */
	int	 n;		/* so many in a row */
} places[] = {
	{ "lock",   false, offsetof(struct tree, lock_fd), 1 },
	{ "listen", false, offsetof(struct tree, listen_fd), 1 },
	{ "events", false, offsetof(struct tree, log_fd), 1 },
	{ "log",    true,  offsetof(struct service, log_fd), 1 },
	{ "notify", true,  offsetof(struct service, notify_fd), 1 },
	{ "ready",  true,  offsetof(struct service, ready_fd), 1 },
	{ "socket", true,  offsetof(struct service, sock), CONF_SOCKETS_MAX },
};

static int *
place_of(const struct place *p, const void *owner)
{
	return (int *)(uintptr_t)((const char *)owner + p->at);
}

/* Calls see for every descriptor that is open now; stops at -1. */
typedef int see_fd(void *arg, const struct place *p, int slot, int fd);

static int
each_of(const struct place *p, const void *owner, int slot, see_fd *see,
    void *arg)
{
	const int *place = place_of(p, owner);
	int i;

	for (i = 0; i < p->n; i++)
		if (place[i] >= 0 && see(arg, p, slot, place[i]) < 0)
			return -1;
	return 0;
}

static int
each(const struct tree *t, see_fd *see, void *arg)
{
	const struct place *p;
	int i;

	for (p = places; p < places + nitems(places); p++) {
		if (!p->of_service && each_of(p, t, 0, see, arg) < 0)
			return -1;
		for (i = 0; p->of_service && i < t->n; i++)
			if (each_of(p, t->sv[i], t->sv[i]->slot, see, arg) < 0)
				return -1;
	}
	return 0;
}

static int
write_line(void *arg, const struct place *p, int slot, int fd)
{
	return fprintf(arg, "%s %d %d\n", p->kind, slot, fd) < 0 ? -1 : 0;
}

static int
let_through(void *arg, const struct place *p, int slot, int fd)
{
	(void)p;
	(void)slot;
	return fcntl(fd, F_SETFD, *(int *)arg);
}

static void
path_of(const struct tree *t, char *dst, size_t cap)
{
	(void)snprintf(dst, cap, "%s/handover", t->run);
}

void
upgrade_fds_forget(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	int on = FD_CLOEXEC;

	(void)each(t, let_through, &on);
	path_of(t, path, sizeof path);
	(void)unlink(path);
}

int
upgrade_fds_write(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	int off = 0, bad;
	FILE *f;

	path_of(t, path, sizeof path);
	if ((f = fopen(path, "we")) == NULL)
		return -1;
	bad = fprintf(f, "pid %ld\n", (long)getpid()) < 0 ||
	    each(t, write_line, f) < 0;
	if (fclose(f) != 0)
		bad = 1;
	if (!bad && each(t, let_through, &off) == 0)
		return 0;
	upgrade_fds_forget(t);
	return -1;
}

static FILE *
open_file(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	long pid;
	FILE *f;

	path_of(t, path, sizeof path);
	if ((f = fopen(path, "re")) == NULL)
		return NULL;
	if (fscanf(f, "pid %ld\n", &pid) == 1 && pid == (long)getpid())
		return f;
	(void)fclose(f);
	return NULL;
}

/* The next line whose descriptor is open; false at the end. p is NULL for a
 * kind that another version knows and we do not. */
static bool
next_line(FILE *f, const struct place **p, int *slot, int *fd)
{
	char kind[16];
	size_t k;

	while (fscanf(f, "%15s %d %d\n", kind, slot, fd) == 3) {
		if (*fd <= 2 || fcntl(*fd, F_GETFD) < 0)
			continue;
		for (k = 0; k < nitems(places); k++)
			if (strcmp(places[k].kind, kind) == 0)
				break;
		*p = k < nitems(places) ? &places[k] : NULL;
		return true;
	}
	return false;
}

int
upgrade_lock(const struct tree *t)
{
	FILE *f = open_file(t);
	const struct place *p;
	int slot, fd = -1;

	if (f == NULL)
		return -1;
	while (next_line(f, &p, &slot, &fd)) {
		if (p != NULL && p == places)
			break;
		fd = -1;
	}
	(void)fclose(f);
	return fd >= 0 && os_cloexec(fd) == 0 ? fd : -1;
}

/* Of several, the first free place. */
static void
take(const struct place *p, int *place, int fd)
{
	int i;

	for (i = 0; i + 1 < p->n && place[i] >= 0; i++)
		continue;
	place += i;
	if (*place >= 0 && *place != fd)
		(void)close(*place);
	*place = fd;
}

bool
upgrade_resume(struct tree *t)
{
	FILE *f = open_file(t);
	char path[TREE_PATH_MAX + 16];
	const struct place *p;
	struct service *sv;
	int slot, fd;

	path_of(t, path, sizeof path);
	if (f == NULL) {
		(void)unlink(path);
		return false;
	}
	while (next_line(f, &p, &slot, &fd)) {
		sv = slot >= 0 && slot < t->table.slots ? t->slot[slot] : NULL;
		if (p == NULL || (p->of_service && sv == NULL)) {
			(void)close(fd);
			continue;
		}
		(void)os_cloexec(fd);
		take(p, place_of(p, p->of_service ? (void *)sv : t), fd);
	}
	(void)fclose(f);
	(void)unlink(path);
	return true;
}
