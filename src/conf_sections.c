/* SPDX-License-Identifier: ISC */
/*
 * The sections whose keys are names of the user's choice: [environment] and
 * [limits].
 */
#include <sys/resource.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "conf_kinds.h"

void
conf_set_environment(struct conf_reader *rd, const char *name,
    const char *value)
{
	struct conf_list *list = &rd->sv->environment;
	char text[CONF_VALUE_MAX];
	char **grown;
	size_t len = strlen(name);
	int i;

	for (i = 0; i < list->n; i++)
		if (strncmp(list->v[i], name, len) == 0 &&
		    list->v[i][len] == '=') {
			conf_error(rd, "%s: given before; once is right",
			    name);
			return;
		}
	(void)snprintf(text, sizeof text, "%s=%s", name, value);
	grown = conf_alloc(rd->tree, ((size_t)list->n + 2) * sizeof *grown);
	if (grown == NULL)
		return;
	for (i = 0; i < list->n; i++)
		grown[i] = list->v[i];
	grown[i] = conf_copy(rd->tree, text);
	list->v = grown;
	list->n++;
}

static const struct {
	const char	*name;
	int		 resource;
} limits[] = {
	{ "as", RLIMIT_AS }, { "core", RLIMIT_CORE }, { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA }, { "fsize", RLIMIT_FSIZE },
	{ "memlock", RLIMIT_MEMLOCK }, { "nofile", RLIMIT_NOFILE },
	{ "nproc", RLIMIT_NPROC }, { "stack", RLIMIT_STACK },
};

const char *
conf_limit_name(int resource)
{
	size_t i;

	for (i = 0; i < nitems(limits); i++)
		if (limits[i].resource == resource)
			return limits[i].name;
	return "?";
}

static int
find_limit(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(limits); i++)
		if (strcmp(limits[i].name, name) == 0)
			return limits[i].resource;
	return -1;
}

static bool
one_limit(const char *text, uint64_t *value)
{
	int64_t n = conf_size(text);

	*value = n < 0 ? UINT64_MAX : (uint64_t)n;
	return n >= 0 || strcmp(text, "infinity") == 0;
}

/* VALUE for both, or SOFT:HARD. */
static bool
parse_limit(const char *text, struct conf_limit *l)
{
	const char *colon = strchr(text, ':');
	char soft[64];

	if (colon == NULL) {
		l->soft = l->hard = 0;
		return one_limit(text, &l->soft) && one_limit(text, &l->hard);
	}
	(void)snprintf(soft, sizeof soft, "%.*s", (int)(colon - text), text);
	return one_limit(soft, &l->soft) && one_limit(colon + 1, &l->hard);
}

void
conf_set_limit(struct conf_reader *rd, const char *name, const char *value)
{
	struct conf_service *sv = rd->sv;
	struct conf_limit l = { .resource = find_limit(name) };
	int i;

	if (l.resource < 0) {
		conf_error(rd, "unknown limit %s; known are as, core, cpu, "
		    "data, fsize, memlock, nofile, nproc, stack", name);
		return;
	}
	for (i = 0; i < sv->nlimits; i++)
		if (sv->limits[i].resource == l.resource) {
			conf_error(rd, "%s: given before; once is right",
			    name);
			return;
		}
	if (!parse_limit(value, &l)) {
		conf_error(rd, "%s: '%.80s' is not right; it wants a number, "
		    "a size or infinity, or two of them as SOFT:HARD", name,
		    value);
		return;
	}
	if (l.soft > l.hard) {
		conf_error(rd, "%s: the soft limit is above the hard one; "
		    "SOFT:HARD is the order", name);
		return;
	}
	if (sv->limits == NULL)
		sv->limits = conf_alloc(rd->tree,
		    nitems(limits) * sizeof *sv->limits);
	if (sv->limits != NULL)
		sv->limits[sv->nlimits++] = l;
}
