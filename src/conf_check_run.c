/* SPDX-License-Identifier: ISC */
/*
 * Checks of what the processes of a service are given: groups, variables
 * from files, sockets; and of the programs beside them.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf_private.h"

static void
check_groups(struct conf_reader *rd)
{
	const struct conf_list *groups = &conf_rare(rd->sv)->groups;
	int i;

	for (i = 0; i < groups->n; i++)
		if (getgrnam(groups->v[i]) == NULL)
			conf_error_at(rd, "service", "groups", "groups: no "
			    "group %s here; getent group lists them",
			    groups->v[i]);
	if (groups->n > 0 && geteuid() != 0)
		conf_error_at(rd, "service", "groups", "groups: only root "
		    "can give groups to a service");
}

static void
drop(void *arg, const char *name, const char *value)
{
	(void)arg;
	(void)name;
	(void)value;
}

static void
check_env(struct conf_reader *rd)
{
	const struct conf_rare *c = conf_rare(rd->sv);
	char err[CONF_ERR_LEN];
	int i;

	for (i = 0; i < c->env_file.n; i++)
		if (conf_env_file(c->env_file.v[i], drop, NULL, err) < 0)
			conf_error_at(rd, "service", "env-file",
			    "env-file: %s", err);
	for (i = 0; i < c->env_dir.n; i++)
		if (conf_env_dir(c->env_dir.v[i], drop, NULL, err) < 0)
			conf_error_at(rd, "service", "env-dir",
			    "env-dir: %s", err);
}

static void
check_sockets(struct conf_reader *rd)
{
	const struct conf_service *sv = rd->sv;
	int i, k;

	for (i = 0; i < sv->sockets.n; i++)
		for (k = 0; k < i; k++)
			if (strcmp(sv->sockets.v[i].address,
			    sv->sockets.v[k].address) == 0)
				conf_error_at(rd, "sockets", "listen",
				    "listen: %s is there twice",
				    sv->sockets.v[i].address);
	if (sv->ready == READY_FD && sv->ready_fd < 3 + sv->sockets.n)
		conf_error_at(rd, "service", "ready", "ready: descriptor %d "
		    "is the place of a socket; fd:%d is free", sv->ready_fd,
		    3 + sv->sockets.n);
}

static void
check_hooks(struct conf_reader *rd)
{
	static const char *const keys[HOOK_COUNT] = {
		[HOOK_CRASH] = "on-crash", [HOOK_TRIP] = "on-trip",
		[HOOK_INCIDENT] = "on-incident",
		[HOOK_RECOVERY] = "on-recovery",
	};
	int i;

	if (conf_rare(rd->sv)->stop_command.n > 0)
		conf_check_program(rd, "service", "stop-command",
		    conf_rare(rd->sv)->stop_command.v[0]);
	for (i = 0; i < HOOK_COUNT; i++)
		if (conf_rare(rd->sv)->hook[i].n > 0)
			conf_check_program(rd, "service", keys[i],
			    conf_rare(rd->sv)->hook[i].v[0]);
}

void
conf_check_run(struct conf_reader *rd)
{
	if (rd->sv->instances.n > 0 && rd->sv->instance == NULL)
		conf_error_at(rd, "service", "instances", "instances: only a "
		    "template has them, a directory whose name ends with @");
	check_groups(rd);
	check_env(rd);
	check_sockets(rd);
	check_hooks(rd);
}
