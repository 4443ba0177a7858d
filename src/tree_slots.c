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
	if (sv == NULL)
		free(conf);
	else
		sv->removed = true;
	return sv;
}

int
tree_give_slot(struct tree *t, struct service *sv)
{
	int i, before = t->table.slots;
	struct service **slot;

	for (i = 0; i < before; i++)
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
	return 0;
}

/* Matches the records on disk with services: only at start. */
int
tree_match_records(struct tree *t, struct service ***all, int *n)
{
	struct service **grown, *sv;
	struct record r;
	int i, k;

	t->slot = calloc((size_t)t->table.slots, sizeof(struct service *));
	if (t->slot == NULL)
		return -1;
	for (i = 0; i < t->table.slots; i++) {
		if (table_read(&t->table, i, &r) < 0)
			continue;
		for (k = 0; k < *n; k++)
			if (strcmp((*all)[k]->conf->name, r.name) == 0)
				break;
		if (k == *n) {
			if (r.pid <= 0)
				continue;
			sv = make_orphan(t, &r);
			grown = realloc(*all, (size_t)(*n + 1) * sizeof(*all));
			if (sv == NULL || grown == NULL)
				return -1;
			*all = grown;
			(*all)[(*n)++] = sv;
		}
		sv = (*all)[k];
		if (sv->slot >= 0)
			continue;
		sv->rec = r;
		sv->slot = i;
		t->slot[i] = sv;
	}
	return 0;
}
