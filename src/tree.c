/* SPDX-License-Identifier: ISC */
/*
 * Which services there are: read from the directories, matched with the
 * records of an earlier supervisor, replaced as a whole by a reload or not at
 * all. The only place that allocates.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"
#include "tree_slots.h"

static char *logger_words[] = { (char *)"svlog", NULL };
/* The logger of the tree: a service like any other, defined here. */
static struct conf_service logger_conf = {
	.name = (char *)"svlog",
	.description = (char *)"the logger of this tree",
	.exec = { logger_words, 1 },
	.restart = RESTART_ALWAYS, .ready = READY_NOTIFY,
	.restart_delay_ms = 200, .restart_max_ms = 5000,
	.stop_signal = SIGTERM, .stop_timeout_ms = 20000,
	.start_timeout_ms = 10000,
	.dir = (char *)"/",
};

static int
by_name(const void *a, const void *b)
{
	const struct service *const *x = a, *const *y = b;

	return strcmp((*x)->conf->name, (*y)->conf->name);
}

int
tree_open(struct tree *t, char *err)
{
	static const struct conf_service nobody_named;
	char path[TREE_PATH_MAX + 16];
	struct conf_user u;

	/* Looked up here, it need not be by every child. */
	(void)conf_user(&nobody_named, &u, err);
	t->owner = geteuid();
	t->alarm_fd = t->listen_fd = -1;
	t->alarm_ms = -1;
	t->since_us = os_wall_us();
	(void)snprintf(path, sizeof path, "%s/table", t->run);
	if (table_open(&t->table, path, 16) < 0) {
		(void)snprintf(err, CONF_ERR_LEN, "open %s: %s", path,
		    strerror(errno));
		return -1;
	}
	if (event_open(t) < 0) {
		(void)snprintf(err, CONF_ERR_LEN, "make %s/svtree/log: %s",
		    t->run, strerror(errno));
		return -1;
	}
	return 0;
}

struct service *
tree_make_service(struct tree *t, const struct conf_service *conf,
    struct definitions *defs)
{
	struct service *sv = calloc(1, sizeof *sv);

	if (sv == NULL)
		return NULL;
	sv->tree = t;
	sv->conf = conf;
	sv->defs = defs;
	if (defs != NULL)
		defs->users++;
	sv->slot = -1;
	sv->log_fd = sv->gate_fd = sv->notify_fd = sv->ready_fd = -1;
	sv->watch = -1;
	memset(sv->sock, -1, sizeof sv->sock);
	(void)snprintf(sv->rec.name, sizeof sv->rec.name, "%s", conf->name);
	hook_prepare(sv);
	return sv;
}

static void
release(struct definitions *defs)
{
	if (defs == NULL || --defs->users > 0)
		return;
	conf_free(&defs->conf);
	free(defs);
}

static void
forget(struct service *sv)
{
	release(sv->defs);
	if (sv->log_fd >= 0)
		logger_hold(sv->tree, sv->log_fd);
	free(sv->hook);
	free(sv);
}

/* What is wanted of a service that this boot has not seen. */
static void
first_wish(struct service *sv)
{
	struct record *r = &sv->rec;

	r->disabled = intent_is_disabled(sv->tree, sv->conf->name);
	r->want = WANT_UP;
	if (sv->conf->type == TYPE_ONESHOT)
		r->want = sv->conf->every_ms > 0 ? WANT_DOWN : WANT_ONCE;
	if (sv->conf->down || r->disabled)
		r->want = WANT_DOWN;
	r->since_us = os_wall_us();
}

/* The new list: kept services with their new definition, new ones, and
 * those that lost their directory but still run. */
struct loading {
	struct definitions *defs;
	struct service **all;
	int	 n, fresh;	/* all[fresh..n) are new */
};

static int
collect(struct tree *t, struct loading *l)
{
	const struct conf_tree *c = &l->defs->conf;
	int i;

	l->all = calloc((size_t)c->n + (size_t)t->n + 1, sizeof *l->all);
	if (l->all == NULL)
		return -1;
	for (i = 0; i < t->n; i++)
		l->all[l->n++] = t->sv[i];
	l->fresh = l->n;
	for (i = 0; i <= c->n; i++) {
		const struct conf_service *conf = i < c->n ? &c->service[i] :
		    &logger_conf;

		if (tree_find(t, conf->name) != NULL)
			continue;
		l->all[l->n] = tree_make_service(t, conf,
		    i < c->n ? l->defs : NULL);
		if (l->all[l->n] == NULL)
			return -1;
		l->n++;
	}
	if (t->slot == NULL && tree_match_records(t, &l->all, &l->n) < 0)
		return -1;
	for (i = l->fresh; i < l->n; i++)
		if (l->all[i]->slot < 0) {
			if (tree_give_slot(t, l->all[i]) < 0)
				return -1;
			first_wish(l->all[i]);
		}
	return 0;
}

static void
drop_loading(struct tree *t, struct loading *l)
{
	int i;

	for (i = l->fresh; i < l->n; i++) {
		if (l->all[i]->slot >= 0)
			tree_free_slot(t, l->all[i]->slot);
		l->all[i]->defs = NULL;
		forget(l->all[i]);
	}
	free(l->all);
	conf_free(&l->defs->conf);
	free(l->defs);
}

/* Is this another definition than the one it has? */
static bool
is_changed(const struct service *sv, const struct conf_service *conf)
{
	return conf != NULL && (sv->removed ||
	    conf->fingerprint != sv->conf->fingerprint);
}

static void
tell_changes(const struct loading *l, const struct tree_change *change)
{
	const struct conf_service *conf;
	int i;

	for (i = 0; i < l->n; i++) {
		const struct service *sv = l->all[i];

		if (sv->conf == &logger_conf && i < l->fresh)
			continue;
		conf = conf_find(&l->defs->conf, sv->conf->name);
		if (i >= l->fresh)
			change->told(change->arg, "added", sv->conf->name);
		else if (is_changed(sv, conf))
			change->told(change->arg, "changed", sv->conf->name);
		else if (conf == NULL && !sv->removed)
			change->told(change->arg, "removed", sv->conf->name);
	}
}

/* A kept service takes its new definition; one without is on its way out. */
static void
renew(struct service *sv, struct definitions *defs)
{
	const struct conf_service *conf;

	if (sv->conf == &logger_conf)
		return;
	conf = conf_find(&defs->conf, sv->conf->name);
	if (is_changed(sv, conf))
		sv->stale = state_is_alive(sv->rec.state);
	sv->removed = conf == NULL;
	if (sv->removed)
		return;
	defs->users++;
	release(sv->defs);
	sv->conf = conf;
	sv->defs = defs;
	hook_prepare(sv);
}

static void
begin(struct service *sv)
{
	(void)spawn_make_dir(sv);
	(void)service_save(sv);
	if (sv->rec.want != WANT_DOWN)
		service_event(sv, EV_UP, NULL);
}

static void
commit(struct tree *t, struct loading *l)
{
	bool first = t->sv == NULL;
	int i;

	for (i = 0; i < l->fresh; i++)
		renew(l->all[i], l->defs);
	free(t->sv);
	t->sv = l->all;
	t->n = l->n;
	qsort(t->sv, (size_t)t->n, sizeof(*t->sv), by_name);
	release(l->defs);	/* our own hold */
	if (first)
		return;		/* tree_adopt goes on */
	for (i = 0; i < t->n; i++) {
		if (!t->sv[i]->removed && t->sv[i]->rec.seq == 0)
			begin(t->sv[i]);
	}
	tree_tell_logger(t);
	t->needs_changed = true;
}

int
tree_load(struct tree *t, conf_report *report, void *arg,
    const struct tree_change *change)
{
	struct loading l = { .defs = calloc(1, sizeof *l.defs) };

	if (l.defs == NULL)
		return -1;
	/* At start what is good must run, whatever is wrong beside it. */
	if ((t->sv == NULL ? conf_load_partly : conf_load)(&l.defs->conf,
	    t->services, report, arg) < 0) {
		free(l.defs);
		return -1;
	}
	l.defs->users = 1;
	if (collect(t, &l) < 0) {
		log_warn("read %s", t->services);
		drop_loading(t, &l);
		return -1;
	}
	if (change != NULL)
		tell_changes(&l, change);
	if (change != NULL && change->only_tell) {
		drop_loading(t, &l);
		return 0;
	}
	t->loaded_us = os_wall_us();
	commit(t, &l);
	return 0;
}

void
tree_sweep(struct tree *t)
{
	int i, k;

	logger_hold(t, -1);
	for (i = k = 0; i < t->n; i++) {
		struct service *sv = t->sv[i];

		if (!sv->removed || sv->rec.state != ST_DOWN) {
			t->sv[k++] = sv;
			continue;
		}
		service_ready_close(sv);
		(void)table_clear(&t->table, sv->slot);
		tree_free_slot(t, sv->slot);
		forget(sv);
	}
	if (t->n == k)
		return;
	t->n = k;
	for (i = 0; i < t->n; i++)
		logger_settle(t->sv[i]);
}
