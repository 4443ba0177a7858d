/* SPDX-License-Identifier: ISC */
/*
 * The descriptors that an upgrade keeps open: a table of whose they are. It
 * knows their places, not what is done with them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "control.h"
#include "log.h"
#include "os.h"
#include "upgrade.h"
#include "upgrade_fds.h"

/* Each returns where the descriptor of that owner stands; sv is NULL for
 * those of the tree. */
static int *
tree_lock(struct tree *t, struct service *sv)
{
	(void)sv;
	return &t->lock_fd;
}

static int *
tree_listen(struct tree *t, struct service *sv)
{
	(void)t;
	(void)sv;
	return control_listen_fd();
}

static int *
tree_log(struct tree *t, struct service *sv)
{
	(void)sv;
	return &t->log_fd;
}

static int *
service_log(struct tree *t, struct service *sv)
{
	(void)t;
	return &sv->log_fd;
}

static int *
service_notify(struct tree *t, struct service *sv)
{
	(void)t;
	return &sv->notify_fd;
}

static int *
service_ready(struct tree *t, struct service *sv)
{
	(void)t;
	return &sv->ready_fd;
}

static int *
service_sockets(struct tree *t, struct service *sv)
{
	(void)t;
	return sv->sock;
}

static const struct place {
	const char *kind;
	bool	 of_service;
	int	*(*of)(struct tree *, struct service *);
	int	 n;		/* so many in a row */
} places[] = {
	{ "lock",	false,	tree_lock, 1 },
	{ "listen",	false,	tree_listen, 1 },
	{ "events",	false,	tree_log, 1 },
	{ "log",	true,	service_log, 1 },
	{ "notify",	true,	service_notify, 1 },
	{ "ready",	true,	service_ready, 1 },
	{ "socket",	true,	service_sockets, CONF_SOCKETS_MAX },
};

/* Calls see for every descriptor that is open now; stops at -1. */
typedef int see_fd(void *arg, const struct place *p, int slot, int fd);

static int
each_of(const struct place *p, const int *place, int slot, see_fd *see,
    void *arg)
{
	int i = 0;

	do {
		if (place[i] >= 0 && see(arg, p, slot, place[i]) < 0)
			return -1;
	} while (++i < p->n);
	return 0;
}

static int
each(const struct tree *t, see_fd *see, void *arg)
{
	struct tree *rw = (struct tree *)t;	/* the places are not written */
	size_t k;
	int i;

	for (k = 0; k < nitems(places); k++)
		for (i = 0; i < (places[k].of_service ? t->n : 1); i++) {
			struct service *sv = places[k].of_service ?
			    t->sv[i] : NULL;

			if (each_of(&places[k], places[k].of(rw, sv),
			    sv != NULL ? sv->slot : 0, see, arg) < 0)
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
		if (p != NULL && p->of == tree_lock)
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
		take(p, p->of(t, sv), fd);
	}
	(void)fclose(f);
	(void)unlink(path);
	return true;
}
