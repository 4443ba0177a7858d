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

void
conf_set_limit(struct conf_reader *rd, const char *name, const char *value)
{
	struct conf_service *sv = rd->sv;
	int64_t n = conf_size(value);
	size_t i;

	for (i = 0; i < nitems(limits); i++)
		if (strcmp(limits[i].name, name) == 0)
			break;
	if (i == nitems(limits)) {
		conf_error(rd, "unknown limit %s; known are as, core, cpu, "
		    "data, fsize, memlock, nofile, nproc, stack", name);
		return;
	}
	if (n < 0 && strcmp(value, "infinity") != 0) {
		conf_error(rd, "%s: '%s' is not right; it wants a number, a "
		    "size or infinity", name, value);
		return;
	}
	if (sv->limits == NULL)
		sv->limits = conf_alloc(rd->tree,
		    nitems(limits) * sizeof *sv->limits);
	if (sv->limits == NULL || (size_t)sv->nlimits == nitems(limits)) {
		conf_error(rd, "%s: too many limits", name);
		return;
	}
	sv->limits[sv->nlimits].resource = limits[i].resource;
	sv->limits[sv->nlimits++].value = n < 0 ? UINT64_MAX : (uint64_t)n;
}
