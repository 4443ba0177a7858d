/* SPDX-License-Identifier: ISC */
/*
 * The targets: one for each service with a [health] section. A reload builds
 * them anew and carries over what was known of those that are asked as
 * before, so that it costs no verdict.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "health.h"
#include "log.h"
#include "self.h"

static const struct {
	const char	*name;
	enum server	 server;
	bool		 is_llm;
} types[] = {
	{ "ollama", SERVER_OLLAMA, true },
	{ "mlx", SERVER_MLX, true },
	{ "openai", SERVER_OPENAI, true },
	{ "http", SERVER_HTTP, false },
	{ "tcp", SERVER_TCP, false },
	{ "exec", SERVER_EXEC, false },
	{ "docker", SERVER_DOCKER, false },
};

static struct conf_tree tree;
static struct target *targets;
static int ntargets;

int
targets_count(void)
{
	return ntargets;
}

struct target *
targets_get(int i)
{
	return &targets[i];
}

struct target *
targets_find(const char *name)
{
	int i;

	for (i = 0; i < ntargets; i++)
		if (strcmp(targets[i].conf->name, name) == 0)
			return &targets[i];
	return NULL;
}

bool
targets_have_oneshot(const char *name)
{
	const struct conf_service *sv = tree.memory != NULL ?
	    conf_find(&tree, name) : NULL;

	return sv != NULL && sv->type == TYPE_ONESHOT;
}

const char *
targets_docker_socket(const struct target *t)
{
	return self_docker_socket(&tree, t->conf);
}

/* Where the host stands in an address, behind "://". */
static const char *
host_of(const char *url)
{
	const char *p = strstr(url, "://");

	return p != NULL ? p + 3 : url;
}

/* localhost may be ::1 first, where no server listens. */
static void
set_base(struct target *t, const char *url)
{
	const char *host = host_of(url);
	size_t n;

	if (strncmp(host, "localhost", 9) == 0 &&
	    (host[9] == ':' || host[9] == '/' || host[9] == '\0'))
		(void)snprintf(t->base, sizeof t->base, "%.*s127.0.0.1%s",
		    (int)(host - url), url, host + 9);
	else
		(void)snprintf(t->base, sizeof t->base, "%s", url);
	for (n = strlen(t->base); n > 0 && t->base[n - 1] == '/';)
		t->base[--n] = '\0';
}

/* The port of a server on this machine: only there can we see who has it. */
static uint16_t
local_port(const char *url)
{
	static const char *const locals[] = { "127.", "0.0.0.0", "[::1]",
	    "[::]" };
	const char *host = host_of(url), *colon, *wrong;
	char digits[8];
	size_t i;

	for (i = 0; i < nitems(locals); i++)
		if (strncmp(host, locals[i], strlen(locals[i])) == 0)
			break;
	colon = strrchr(host, ':');
	if (i == nitems(locals) || colon == NULL)
		return 0;
	(void)snprintf(digits, sizeof digits, "%.*s",
	    (int)strcspn(colon + 1, "/"), colon + 1);
	i = (size_t)strtonum(digits, 1, UINT16_MAX, &wrong);
	return wrong == NULL ? (uint16_t)i : 0;
}

static int64_t
at_most_an_hour(int64_t ms)
{
	return ms < 1 ? 1 : ms > 3600000 ? 3600000 : ms;
}

static void
set_rules(struct target *t)
{
	const struct conf_health *h = t->conf->health;

	t->rules = (struct rules){
		.timeout_ms = at_most_an_hour(h->timeout_ms),
		.deep_timeout_ms = at_most_an_hour(h->deep_timeout_ms),
		.start_grace_ms = h->start_grace_ms,
		.load_grace_ms = h->load_grace_ms,
		.threshold = (int)h->threshold,
		.can_unload = t->server == SERVER_OLLAMA,
	};
}

static void
make(struct target *t, const struct conf_service *sv)
{
	size_t i;
	int k;

	*t = (struct target){ .conf = sv, .try = { .fd = -1 },
	    .log = { .fd = -1 } };
	for (i = 0; i < nitems(types); i++)
		if (strcmp(types[i].name, sv->health->type) == 0) {
			t->server = types[i].server;
			t->is_llm = types[i].is_llm;
		}
	if (t->server == SERVER_DOCKER)
		docker_ask_base(sv, t->base, sizeof t->base);
	else if (sv->health->url != NULL)
		set_base(t, sv->health->url);
	/* A container's port is held by the engine, not by its keeper. */
	if (t->is_llm && sv->container->name == NULL)
		t->port = local_port(t->base);
	t->models.wanted = sv->health->models.v;
	t->models.nwanted = sv->health->models.n;
	set_rules(t);
	for (k = 0; k < LAYER_COUNT; k++)
		t->ask[k] = (struct ask){ .t = t, .layer = (enum layer)k };
	t->unload.t = t;
}

/* Is it asked the same things? Then what was known still counts. */
static bool
is_as_before(const struct target *a, const struct target *b)
{
	return a->server == b->server && strcmp(a->base, b->base) == 0;
}

static void
carry_over(struct target *t, struct target *old)
{
	t->log = old->log;
	old->log.fd = -1;
	t->up = old->up;
	t->pid = old->pid;
	t->adopted = old->adopted;
	(void)memcpy(t->user, old->user, sizeof t->user);
	t->ladder = old->ladder;
	t->repair_ms = old->repair_ms;
	t->fault_ms = old->fault_ms;
	(void)memcpy(t->cause, old->cause, sizeof t->cause);
	t->history.up_ms = old->history.up_ms;
	log_keep(t);
	t->told = old->told;
	(void)memcpy(t->told_why, old->told_why, sizeof t->told_why);
	(void)memcpy(t->told_text, old->told_text, sizeof t->told_text);
	t->untold = old->untold;
	if (!is_as_before(t, old))
		return;
	t->history = old->history;
	t->live_else = old->live_else;
	t->deep_ms = old->deep_ms;
	(void)memcpy(t->deep_seen, old->deep_seen, sizeof t->deep_seen);
}

static void
cancel_all(void)
{
	int i;

	for (i = 0; i < ntargets; i++) {
		ask_cancel(&targets[i]);
		try_cancel(&targets[i]);
		log_end(&targets[i]);
	}
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	log_warnx("%s", line);
}

/* A definition that has become wrong elsewhere is no reason to leave alone
 * what runs by the one before, nor is a user that we could not become. */
static bool
can_be_asked(const struct conf_service *sv)
{
	const struct conf_health *h = sv->health;

	return h->type != NULL && (h->url != NULL || h->command.n > 0 ||
	    (strcmp(h->type, "docker") == 0 && sv->container->name != NULL)) &&
	    h->interval_ms >= 10 && h->timeout_ms >= 10;
}

static int
adopt(struct conf_tree *fresh)
{
	struct target *made;
	struct target *old;
	int i, n = 0;

	made = calloc((size_t)fresh->n + 1, sizeof *made);
	if (made == NULL) {
		log_warn("read the services");
		conf_free(fresh);
		return -1;
	}
	for (i = 0; i < fresh->n; i++) {
		if (!can_be_asked(&fresh->service[i]))
			continue;
		make(&made[n], &fresh->service[i]);
		if ((old = targets_find(made[n].conf->name)) != NULL)
			carry_over(&made[n], old);
		n++;
	}
	targets_free();
	targets = made;
	ntargets = n;
	tree = *fresh;
	return 0;
}

int
targets_load(void)
{
	const char *dir = getenv("SVTREE_SERVICES");
	struct conf_tree fresh;

	if (dir == NULL || *dir == '\0')
		return 0;
	if (conf_load_partly(&fresh, dir, print_error, NULL) < 0)
		return -1;
	return adopt(&fresh);
}

void
targets_free(void)
{
	cancel_all();
	free(targets);
	targets = NULL;
	ntargets = 0;
	if (tree.memory != NULL)
		conf_free(&tree);
	tree = (struct conf_tree){ .n = 0 };
}
