/* SPDX-License-Identifier: ISC */
/*
 * The watcher's view of the service.conf files. A tree that cannot be read
 * is no reason to stop watching: then containers are told of by their own
 * names, on the watcher's own service.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "oom_conf.h"

static struct conf_tree tree;

const char *
oom_conf_self(void)
{
	const char *name = getenv("SVTREE_SERVICE");

	return name != NULL && *name != '\0' ? name : "oom-watcher";
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	log_warnx("%s", line);
}

int
oom_conf_load(void)
{
	const char *dir = getenv("SVTREE_SERVICES");
	struct conf_tree fresh;

	if (dir == NULL || *dir == '\0')
		return 0;
	if (conf_load_partly(&fresh, dir, print_error, NULL) < 0)
		return -1;
	oom_conf_free();
	tree = fresh;
	return 0;
}

void
oom_conf_free(void)
{
	if (tree.memory != NULL)
		conf_free(&tree);
	tree = (struct conf_tree){ .n = 0 };
}

const char *
oom_conf_service(const char *container)
{
	int i;

	for (i = 0; i < tree.n; i++)
		if (tree.service[i].container->name != NULL &&
		    strcmp(tree.service[i].container->name, container) == 0)
			return tree.service[i].name;
	return NULL;
}

bool
oom_conf_is_container(const char *service)
{
	const struct conf_service *sv = tree.memory != NULL ?
	    conf_find(&tree, service) : NULL;

	return sv != NULL && sv->container->name != NULL;
}

bool
oom_conf_is_expendable(const char *service)
{
	const struct conf_service *sv = tree.memory != NULL ?
	    conf_find(&tree, service) : NULL;

	return sv != NULL && sv->health->expendable;
}

const char *
oom_conf_socket(void)
{
	int i;

	for (i = 0; i < tree.n; i++)
		if (tree.service[i].docker->socket != NULL)
			return tree.service[i].docker->socket;
	return NULL;
}

const char *
oom_conf_ollama(int i)
{
	const struct conf_health *h;
	int k;

	for (k = 0; k < tree.n; k++) {
		h = tree.service[k].health;
		if (h->type != NULL && strcmp(h->type, "ollama") == 0 &&
		    h->url != NULL && i-- == 0)
			return h->url;
	}
	return NULL;
}

static const char *
env_of(const struct conf_service *sv, const char *assign)
{
	int i;

	for (i = 0; i < sv->environment.n; i++)
		if (strncmp(sv->environment.v[i], assign, strlen(assign)) ==
		    0)
			return sv->environment.v[i] + strlen(assign);
	return NULL;
}

/* Of a user that cannot be looked up the place is not known. */
static const char *
store_of(const struct conf_service *sv)
{
	static char path[512];
	const char *given = env_of(sv, "OLLAMA_MODELS=");
	const char *home = env_of(sv, "HOME=");
	char err[CONF_ERR_LEN];
	struct conf_user u;

	if (given != NULL)
		return given;
	if (home == NULL && conf_user(sv, &u, err) < 0)
		return "";
	if (home == NULL)
		home = u.home;
	(void)snprintf(path, sizeof path, "%.480s/.ollama/models", home);
	return path;
}

const char *
oom_conf_store(int i)
{
	int k;

	for (k = 0; k < tree.n; k++)
		if (tree.service[k].broken == NULL &&
		    tree.service[k].health->type != NULL &&
		    strcmp(tree.service[k].health->type, "ollama") == 0 &&
		    i-- == 0)
			return store_of(&tree.service[k]);
	return NULL;
}

const struct conf_log *
oom_conf_log(int i, const char **name)
{
	if (i >= tree.n)
		return NULL;
	*name = tree.service[i].name;
	return tree.service[i].log;
}

int64_t
oom_conf_limit(const char *service)
{
	const struct conf_service *sv = tree.memory != NULL ?
	    conf_find(&tree, service) : NULL;

	return sv != NULL ? sv->health->max_memory : 0;
}
