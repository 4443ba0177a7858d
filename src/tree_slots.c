/* SPDX-License-Identifier: ISC */
/*
 * Which slot of run/table belongs to which service: matched by name at start,
 * given out afterwards. A record without a directory becomes a service that
 * is only there to be stopped.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "service.h"
#include "tree_slots.h"

/* What is left of a service whose directory vanished while we were gone. */
static struct conf_service orphan_conf = {
	.restart = RESTART_NEVER,
	.stop_signal = SIGTERM, .stop_timeout_ms = 20000, .dir = (char *)"/",
};

static struct service *
make_orphan(struct tree *t, const struct record *r)
{
	struct conf_service *conf = malloc(sizeof *conf);
	struct service *sv;

	if (conf == NULL)
		return NULL;
	*conf = orphan_conf;
	conf->name = strdup(r->name);
	sv = conf->name != NULL ? tree_make_service(t, conf, NULL) : NULL;
	if (sv == NULL) {
		free(conf->name);
		free(conf);
	} else {
		sv->removed = true;
	}
	return sv;
}

int
tree_give_slot(struct tree *t, struct service *sv)
{
	int i, before = t->table.slots;
	struct service **slot;

	for (i = t->free_from; i < before; i++)
		if (t->slot != NULL && t->slot[i] == NULL)
			break;
	if (t->slot == NULL || i == before) {
		if (t->slot != NULL && table_grow(&t->table, i + 64) < 0)
			return -1;
		slot = realloc(t->slot,
		    (size_t)t->table.slots * sizeof(*slot));
		if (slot == NULL)
			return -1;
		if (t->slot == NULL)
			before = i = 0;
		memset(slot + before, 0,
		    (size_t)(t->table.slots - before) * sizeof(*slot));
		t->slot = slot;
	}
	t->slot[i] = sv;
	sv->slot = i;
	t->free_from = i + 1;
	return 0;
}

void
tree_free_slot(struct tree *t, int slot)
{
	t->slot[slot] = NULL;
	if (slot < t->free_from)
		t->free_from = slot;
}

/* At start the list is in order of names, but for the logger at its end. */
static struct service *
find_by_name(struct service *const *all, int n, const char *name)
{
	if (n > 0 && strcmp(all[n - 1]->conf->name, name) == 0)
		return all[n - 1];
	return tree_find_in(all, n - 1, name);
}

/* Matches the records on disk with services: only at start. */
int
tree_match_records(struct tree *t, struct service ***all, int *n)
{
	struct service **grown, *sv;
	struct record r;
	int i, known = *n;

	t->slot = calloc((size_t)t->table.slots, sizeof(struct service *));
	if (t->slot == NULL)
		return -1;
	for (i = 0; i < t->table.slots; i++) {
		if (table_read(&t->table, i, &r) < 0)
			continue;
		sv = find_by_name(*all, known, r.name);
		if (sv == NULL) {
			/* One in UNKNOWN runs, though by no pid on record. */
			if (r.pid <= 0 &&
			    !state_is_alive((enum state)r.state))
				continue;
			grown = realloc(*all,
			    ((size_t)*n + 1) * sizeof(struct service *));
			if (grown == NULL)
				return -1;
			*all = grown;
			if ((sv = make_orphan(t, &r)) == NULL)
				return -1;
			(*all)[(*n)++] = sv;
		}
		if (sv->slot >= 0)
			continue;
		sv->rec = r;
		sv->slot = i;
		t->slot[i] = sv;
	}
	return 0;
}
