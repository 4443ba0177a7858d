/* SPDX-License-Identifier: ISC */
/*
 * Which services a directory of services holds: its entries, the loggers
 * beside them, the instances of templates.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf_private.h"

#define SERVICES_MAX	10000

static int
by_name(const void *a, const void *b)
{
	const struct conf_service *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One more service; the array may move. */
static struct conf_service *
add(struct conf_tree *t, int *room, const char *name, const char *dir)
{
	struct conf_service *grown;

	if (t->n == *room) {
		*room = *room == 0 ? 32 : *room * 2;
		if (*room > SERVICES_MAX * 2)
			return NULL;
		grown = realloc(t->service, (size_t)*room * sizeof *grown);
		if (grown == NULL)
			return NULL;
		t->service = grown;
	}
	grown = &t->service[t->n];
	memset(grown, 0, sizeof *grown);
	conf_no_groups(grown);
	grown->name = conf_copy(t, name);
	grown->dir = conf_copy(t, dir);
	if (grown->name == NULL || grown->dir == NULL)
		return NULL;
	t->n++;
	return grown;
}

/* A service and, when it has a logger of its own, that. What stands behind
 * the first @ of a name is its instance. */
static int
add_both(struct conf_tree *t, int *room, const char *name, const char *dir)
{
	const char *at = strchr(name, '@');
	char log_name[NAME_MAX + 8], log_dir[PATH_MAX + 8];
	struct conf_service *sv;
	bool logger = conf_has(dir, "log/run", F_OK) ||
	    conf_has(dir, "log/service.conf", F_OK);

	if ((sv = add(t, room, name, dir)) == NULL)
		return -1;
	sv->has_logger = logger;
	if (at != NULL && (sv->instance = conf_copy(t, at + 1)) == NULL)
		return -1;
	if (!logger)
		return 0;
	(void)snprintf(log_name, sizeof log_name, "%s" CONF_LOGGER, name);
	(void)snprintf(log_dir, sizeof log_dir, "%s/log", dir);
	if ((sv = add(t, room, log_name, log_dir)) == NULL ||
	    (sv->logs = conf_copy(t, name)) == NULL)
		return -1;
	if (at != NULL)
		sv->instance = conf_copy(t, at + 1);
	return 0;
}

/* NAME@ is no service but what its instances are made of. */
static int
add_template(struct conf_reader *rd, int *room, const char *name,
    const char *dir)
{
	struct conf_service template = { .name = (char *)name,
	    .dir = (char *)dir };
	struct conf_list instances = { NULL, 0 };
	char full[NAME_MAX + CONF_VALUE_MAX];
	int i;

	rd->sv = &template;
	rd->instances = &instances;
	memset(rd->seen, 0, sizeof rd->seen);
	conf_read_settings(rd);
	rd->instances = NULL;
	rd->sv = NULL;
	for (i = 0; i < instances.n; i++) {
		(void)snprintf(full, sizeof full, "%s%s", name,
		    instances.v[i]);
		if (add_both(rd->tree, room, full, dir) < 0)
			return -1;
	}
	return 0;
}

/* An instance may be a directory of its own, or one of those that its
 * template names: not both. */
static void
drop_twins(struct conf_reader *rd)
{
	struct conf_tree *t = rd->tree;
	int i, n = 0;

	for (i = 0; i < t->n; i++) {
		if (n == 0 || strcmp(t->service[n - 1].name,
		    t->service[i].name) != 0) {
			t->service[n++] = t->service[i];
			continue;
		}
		rd->sv = &t->service[n - 1];
		if (rd->sv->logs == NULL)
			conf_error(rd, "is there twice: by a directory, and by "
			    "instances of its template; once is right");
	}
	rd->sv = NULL;
	t->n = n;
}

static void
shrink(struct conf_tree *t)
{
	struct conf_service *fit = NULL;

	if (t->n > 0)
		fit = realloc(t->service, (size_t)t->n * sizeof *fit);
	if (fit != NULL)
		t->service = fit;
}

/* The entries of the directory that are directories, in order. */
int
conf_list(struct conf_reader *rd, DIR *d)
{
	struct conf_tree *t = rd->tree;
	char path[PATH_MAX];
	struct dirent *e;
	struct stat st;
	int room = 0, bad;
	size_t n;

	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/%s", t->dir, e->d_name);
		if (e->d_name[0] == '.' || stat(path, &st) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		n = strlen(e->d_name);
		bad = n > 1 && e->d_name[n - 1] == '@' ?
		    add_template(rd, &room, e->d_name, path) :
		    add_both(t, &room, e->d_name, path);
		if (bad != 0)
			return -1;
	}
	if (t->n > 1)
		qsort(t->service, (size_t)t->n, sizeof *t->service, by_name);
	drop_twins(rd);
	shrink(t);
	return 0;
}
