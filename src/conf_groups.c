/* SPDX-License-Identifier: ISC */
/*
 * Where values go. Sections that few services have are structs of their own:
 * a service that has none shares the defaults, which nobody writes to.
 */
#include <string.h>

#include "buf.h"
#include "conf_kinds.h"

static const struct conf_health no_health = {
	.interval_ms = 10000, .timeout_ms = 3000, .threshold = 3,
	.start_grace_ms = 60000, .load_grace_ms = 300000,
	.wake_grace_ms = 10000, .deep_timeout_ms = 30000, .restart = true,
};
static const struct conf_container no_container = {
	.up_timeout_ms = 120000, .stop_timeout_ms = 10000, .stop = true,
	.outside_start = true, .logs = true,
};
static const struct conf_docker no_docker = { .start_every_ms = 60000 };

static const struct {
	const char *section;
	size_t	 at, size;	/* of its pointer in struct conf_service */
	const void *none;
} groups[] = {
#define GROUP(g) { #g, offsetof(struct conf_service, g), \
	sizeof(struct conf_ ## g), &no_ ## g }
	GROUP(health), GROUP(container), GROUP(docker),
#undef GROUP
};

void
conf_no_groups(struct conf_service *sv)
{
	sv->health = &no_health;
	sv->container = &no_container;
	sv->docker = &no_docker;
}

/* The row of the key's section, -1 when it lies in the service itself. */
static int
group_of(const struct conf_key *key)
{
	size_t i;

	for (i = 0; i < nitems(groups); i++)
		if (strcmp(groups[i].section, key->section) == 0)
			return (int)i;
	return -1;
}

const void *
conf_default(const struct conf_service *sv, const struct conf_key *key)
{
	int g = group_of(key);

	return (g < 0 ? (const char *)sv : (const char *)groups[g].none) +
	    key->offset;
}

void *
conf_place(struct conf_reader *rd, const struct conf_key *key)
{
	int g = group_of(key);
	char *own;

	if (g < 0)
		return (char *)rd->sv + key->offset;
	memcpy(&own, (char *)rd->sv + groups[g].at, sizeof own);
	if (own == groups[g].none) {
		if ((own = conf_alloc(rd->tree, groups[g].size)) == NULL)
			return NULL;
		memcpy(own, groups[g].none, groups[g].size);
		memcpy((char *)rd->sv + groups[g].at, &own, sizeof own);
	}
	return own + key->offset;
}
