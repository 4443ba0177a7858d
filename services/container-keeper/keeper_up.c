/* SPDX-License-Identifier: ISC */
/*
 * Runs Docker Compose: first to see which there is, then to bring the
 * container up. The command talks to the engine that the keeper talks to,
 * and ends with the keeper's process group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keeper_tree.h"
#include "keeper_up.h"

#define PROBE_MS	20000	/* of `docker compose version` */

void
up_init(struct up *u, const struct conf_tree *conf,
    const struct conf_service *own, const struct conf_container *box)
{
	(void)memset(u, 0, sizeof *u);
	u->conf = conf;
	u->own = own;
	u->box = box;
}

static int
run(struct up *u, char *const argv[], enum job_group group,
    int64_t timeout_ms)
{
	const char *host = getenv("DOCKER_HOST");
	char saved[512], address[300];
	int rc;

	(void)snprintf(saved, sizeof saved, "%s", host != NULL ? host : "");
	(void)snprintf(address, sizeof address, "unix://%s", u->socket);
	(void)setenv("DOCKER_HOST", address, 1);
	rc = job_start(&u->job, argv, group, timeout_ms);
	if (host != NULL)
		(void)setenv("DOCKER_HOST", saved, 1);
	else
		(void)unsetenv("DOCKER_HOST");
	return rc;
}

int
up_start(struct up *u, const char *socket)
{
	const char *argv[COMPOSE_ARGS];

	u->socket = socket;
	u->probing = u->kind == COMPOSE_UNKNOWN;
	if (u->probing)
		return run(u, compose_probe, JOB_MUTE, PROBE_MS);
	compose_up(u->box, u->kind, keeper_others_held(u->conf,
	    u->own), argv);
	/* execvp changes nothing of it. */
	return run(u, (char *const *)(const void *)argv, JOB_OURS,
	    u->box->up_timeout_ms);
}

enum up_end
up_step(struct up *u, int64_t now_ms, char *why, int cap)
{
	if (!job_step(&u->job, now_ms))
		return UP_BUSY;
	if (u->probing) {
		u->kind = job_is_good(&u->job) ? COMPOSE_V2 : COMPOSE_V1;
		if (up_start(u, u->socket) == 0)
			return UP_BUSY;
		(void)snprintf(why, (size_t)cap, "cannot be run");
		return UP_FAILED;
	}
	if (job_is_good(&u->job))
		return UP_DONE;
	job_words(&u->job, why, cap);
	return UP_FAILED;
}
