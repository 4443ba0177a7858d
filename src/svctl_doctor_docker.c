/* SPDX-License-Identifier: ISC */
/*
 * Checks of the containers: the engine, its client, each container that a
 * service stands for.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "docker.h"
#include "svctl_doctor.h"
#include "svctl_http.h"

#define GET_MS	5000

static bool
runs(const struct conf_service *sv, const char *program)
{
	const char *name;
	int i;

	for (i = 0; i < sv->exec.n; i++) {
		name = strrchr(sv->exec.v[i], '/');
		name = name != NULL ? name + 1 : sv->exec.v[i];
		if (ctl_is(name, program))
			return true;
	}
	return false;
}

/* The engine's own version of its API, as a prefix of paths. */
static bool
find_engine(struct doctor *d, const char *wanted, struct docker *engine,
    char *prefix, size_t cap)
{
	char err[DOCKER_ERR_LEN], version[16] = "";
	struct json_tok tok[2048];
	char why[JSON_ERR_LEN];
	struct json j;
	struct get g;
	int rc;

	memset(engine, 0, sizeof *engine);
	if (docker_find(engine, wanted, err) < 0) {
		doctor_put(d, BAD, "svctl start docker", "no container "
		    "engine: %s", err);
		return false;
	}
	rc = get_unix(engine->socket, "/version", GET_MS, &g);
	if (rc < 0 || g.status != 200) {
		doctor_put(d, BAD, "svctl restart docker", "the container "
		    "engine at %s does not answer: %s", engine->socket,
		    rc < 0 ? g.err : "not with 200");
		get_free(&g);
		return false;
	}
	if (json_parse(&j, g.body, g.len, tok, nitems(tok), why) == 0)
		(void)json_str(&j, json_get(&j, 0, "ApiVersion"), version,
		    sizeof version);
	(void)snprintf(prefix, cap, "%s%s", version[0] != '\0' ? "/v" : "",
	    version);
	doctor_put(d, FINE, NULL, "the container engine at %s answers in %d "
	    "ms, API %s", engine->socket, g.ms, version);
	get_free(&g);
	return true;
}

/* Compose, as container-keeper will call it. */
static void
check_compose_client(struct doctor *d)
{
	static const char *const plugins[] = {
		"/usr/lib/docker/cli-plugins",
		"/usr/libexec/docker/cli-plugins",
		"/usr/local/lib/docker/cli-plugins",
		"/usr/local/libexec/docker/cli-plugins",
		"/opt/homebrew/lib/docker/cli-plugins",
		"/Applications/Docker.app/Contents/Resources/cli-plugins" };
	char path[MACHINE_PATH], file[MACHINE_PATH + 64];
	size_t i;

	if (machine_program(&d->m, "docker-compose", path, sizeof path)) {
		doctor_put(d, FINE, NULL, "compose is %s", path);
		return;
	}
	(void)snprintf(file, sizeof file, "%s%s/.docker/cli-plugins/"
	    "docker-compose", d->m.root, d->m.home);
	for (i = 0; access(file, X_OK) < 0 && i < nitems(plugins); i++)
		(void)snprintf(file, sizeof file, "%s%s/docker-compose",
		    d->m.root, plugins[i]);
	if (access(file, X_OK) == 0 &&
	    machine_program(&d->m, "docker", path, sizeof path))
		doctor_put(d, FINE, NULL, "compose is %s with %s", path,
		    file);
	else
		doctor_put(d, BAD, "apt-get install docker-compose, or brew "
		    "install docker-compose", "neither docker compose nor "
		    "docker-compose is in a place where a service finds it");
}

/* What goes on being wrong while it runs. */
static void
judge_run(struct doctor *d, const struct conf_service *sv,
    const struct docker_container *c)
{
	const char *file = sv->container->compose != NULL ?
	    sv->container->compose : "the compose file";
	char mend[256];

	if (c->oom) {
		(void)snprintf(mend, sizeof mend, "raise mem_limit in %.200s",
		    file);
		doctor_put(d, WARN, mend, "container %s runs, but a process "
		    "in it was killed for memory", sv->container->name);
	}
	if (c->endless_log) {
		(void)snprintf(mend, sizeof mend, "logging: { options: { "
		    "max-size: 10m } } in %.200s", file);
		doctor_put(d, WARN, mend, "container %s: Docker keeps all that "
		    "it prints, without a bound", sv->container->name);
	}
}

static void
judge_container(struct doctor *d, const struct conf_service *sv,
    const struct docker_container *c)
{
	char mend[160];

	(void)snprintf(mend, sizeof mend, "svctl start %s", sv->name);
	if (ctl_is(c->status, "running"))
		judge_run(d, sv, c);
	if (ctl_is(c->status, "running") && !ctl_is(c->health, "unhealthy")) {
		doctor_put(d, FINE, NULL, "container %s runs%s%s",
		    sv->container->name, c->health[0] != '\0' ? ", " : "",
		    c->health);
	} else if (ctl_is(c->status, "running")) {
		(void)snprintf(mend, sizeof mend, "svctl restart %s",
		    sv->name);
		doctor_put(d, BAD, mend, "container %s runs and is unhealthy",
		    sv->container->name);
	} else if (c->oom || c->exit_code == 137) {
		(void)snprintf(mend, sizeof mend, "raise mem_limit in %.100s",
		    sv->container->compose != NULL ? sv->container->compose :
		    "the compose file");
		doctor_put(d, BAD, c->oom ? mend : "svctl history",
		    "container %s is %s (137%s), restarted %d times by "
		    "Docker", sv->container->name, c->status, c->oom ?
		    ", out of memory" : "", c->restarts);
	} else {
		doctor_put(d, BAD, mend, "container %s is %s (code %d)",
		    sv->container->name, c->status, c->exit_code);
	}
}

static void
check_container(struct doctor *d, const struct conf_service *sv,
    const struct docker *engine, const char *prefix)
{
	char path[300], mend[160], err[DOCKER_ERR_LEN];
	struct docker_container c;
	struct get g;
	int rc;

	(void)snprintf(path, sizeof path, "%s/containers/%.128s/json",
	    prefix, sv->container->name);
	rc = get_unix(engine->socket, path, GET_MS, &g);
	(void)snprintf(mend, sizeof mend, "svctl start %s", sv->name);
	if (rc < 0)
		doctor_put(d, BAD, "svctl restart docker", "container %s: "
		    "%s", sv->container->name, g.err);
	else if (g.status == 404)
		doctor_put(d, BAD, mend, "container %s does not exist",
		    sv->container->name);
	else if (g.status != 200 ||
	    docker_parse_container(g.body, g.len, &c, err) < 0)
		doctor_put(d, BAD, "svctl restart docker", "container %s: "
		    "the engine answers %d", sv->container->name, g.status);
	else {
		judge_container(d, sv, &c);
		if (ctl_is(c.status, "running"))
			doctor_reach(d, sv, g.body, g.len);
	}
	get_free(&g);
}

static bool
is_wanted(const struct doctor *d, const struct conf_service *sv)
{
	const struct sv *now = doctor_sv(d, sv->name);

	return now == NULL || ctl_is(now->want, "up");
}

void
doctor_containers(struct doctor *d)
{
	const struct conf_service *keeper = NULL;
	struct docker engine;
	char prefix[24];
	int i, containers = 0;

	for (i = 0; d->have_conf && i < d->conf.n; i++) {
		if (d->conf.service[i].broken != NULL)
			continue;
		if (runs(&d->conf.service[i], "docker-keeper"))
			keeper = &d->conf.service[i];
		containers += d->conf.service[i].container->name != NULL;
	}
	if (keeper == NULL && containers == 0)
		return;
	doctor_group(d, "containers");
	if (containers > 0)
		check_compose_client(d);
	if (!find_engine(d, keeper != NULL ? keeper->docker->socket : NULL,
	    &engine, prefix, sizeof prefix))
		return;
	for (i = 0; i < d->conf.n; i++) {
		if (d->conf.service[i].broken != NULL ||
		    d->conf.service[i].container->name == NULL ||
		    !is_wanted(d, &d->conf.service[i]))
			continue;
		check_container(d, &d->conf.service[i], &engine, prefix);
	}
}
