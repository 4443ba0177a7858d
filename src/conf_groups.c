/* SPDX-License-Identifier: ISC */
/*
 * Where values go. What few services say is in structs of its own: a service
 * that says nothing of it shares the defaults, which nobody writes to.
 */
#include <string.h>

#include "buf.h"
#include "conf_kinds.h"

static const struct conf_rare no_rare = { .hook_timeout_ms = 30000 };
static const struct conf_log no_log = {
	.max_size = 10 << 20, .total = 100 << 20, .keep = 10,
	.timestamps = true,
};
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
	size_t	 at, size;	/* of its pointer in struct conf_service */
	const void *none;
} groups[IN_MAX] = {
#define GROUP(g) { offsetof(struct conf_service, g), \
	sizeof(struct conf_ ## g), &no_ ## g }
	[IN_RARE] = GROUP(rare), [IN_LOG] = GROUP(log),
	[IN_HEALTH] = GROUP(health), [IN_CONTAINER] = GROUP(container),
	[IN_DOCKER] = GROUP(docker),
#undef GROUP
};

void
conf_no_groups(struct conf_service *sv)
{
	sv->rare = &no_rare;
	sv->log = &no_log;
	sv->health = &no_health;
	sv->container = &no_container;
	sv->docker = &no_docker;
}

const struct conf_rare *
conf_rare(const struct conf_service *sv)
{
	return sv->rare != NULL ? sv->rare : &no_rare;
}

const struct conf_log *
conf_log_default(void)
{
	return &no_log;
}

const void *
conf_default(const struct conf_service *sv, const struct conf_key *key)
{
	return (key->group == IN_SERVICE ? (const char *)sv :
	    (const char *)groups[key->group].none) + key->offset;
}

void *
conf_place(struct conf_reader *rd, const struct conf_key *key)
{
	enum conf_group g = key->group;
	char *own;

	if (g == IN_SERVICE)
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
