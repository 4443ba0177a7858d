/* SPDX-License-Identifier: ISC */
/*
 * The command lines of Docker Compose, and what the rest of the tree means
 * for them. Runs nothing. There is no restart and no down among them: restart
 * ignores what has changed and hits what is healthy, down takes networks and
 * volumes away.
 */
#include <stddef.h>
#include <string.h>

#include "compose.h"

static char probe_0[] = "docker", probe_1[] = "compose",
    probe_2[] = "version";
char *const compose_probe[] = { probe_0, probe_1, probe_2, NULL };

void
compose_up(const struct conf_container *c, enum compose_kind kind,
    bool alone, const char *argv[COMPOSE_ARGS])
{
	int n = 0;

	if (kind == COMPOSE_V1) {
		argv[n++] = "docker-compose";
	} else {
		argv[n++] = "docker";
		argv[n++] = "compose";
	}
	if (c->project != NULL) {
		argv[n++] = "-p";
		argv[n++] = c->project;
	}
	argv[n++] = "-f";
	argv[n++] = c->compose;
	argv[n++] = "up";
	argv[n++] = "-d";
	argv[n++] = "--no-recreate";
	argv[n++] = "--no-build";
	if (alone)
		argv[n++] = "--no-deps";
	argv[n++] = c->service != NULL ? c->service : c->name;
	argv[n] = NULL;
}

/* Down by a person's word, or waiting for what it needs. */
static bool
is_held(const struct json *j, int service)
{
	return json_is(j, json_get(j, service, "want"), "down") ||
	    json_is(j, json_get(j, service, "state"), "WAITING") ||
	    json_is(j, json_get(j, service, "state"), "TRIPPED");
}

bool
compose_others_held(const struct json *j, int services,
    const struct conf_tree *t, const struct conf_service *own)
{
	const struct conf_service *other;
	char name[CONF_NAME_MAX + 1];
	int i;

	for (i = json_first(j, services); i >= 0;
	    i = json_next(j, services, i)) {
		if (json_str(j, json_get(j, i, "name"), name,
		    sizeof name) < 0 || strcmp(name, own->name) == 0 ||
		    (other = conf_find(t, name)) == NULL ||
		    other->container->compose == NULL ||
		    strcmp(other->container->compose,
		    own->container->compose) != 0)
			continue;
		if (is_held(j, i))
			return true;
	}
	return false;
}
