/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's JSON as structs. Strings that are null or too long are "".
 */
#include <stdlib.h>
#include <string.h>

#include "svctl.h"

static void
take_text(const struct json *j, int o, const char *name, char *dst,
    size_t cap)
{
	(void)json_str(j, json_get(j, o, name), dst, cap);
}

static void
take_needs(const struct json *j, int list, struct sv *sv)
{
	char word[96];
	int v;

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		if (json_str(j, v, word, sizeof word) < 0)
			continue;
		if (sv->needs[0] != '\0')
			(void)strlcat(sv->needs, " ", sizeof sv->needs);
		(void)strlcat(sv->needs, word, sizeof sv->needs);
	}
}

static void
take_exit(const struct json *j, int e, struct sv *sv)
{
	take_text(j, e, "kind", sv->exit_kind, sizeof sv->exit_kind);
	take_text(j, e, "signal", sv->exit_signal, sizeof sv->exit_signal);
	take_text(j, e, "at", sv->exit_at, sizeof sv->exit_at);
	(void)json_int(j, json_get(j, e, "code"), &sv->exit_code);
	(void)json_bool(j, json_get(j, e, "oom"), &sv->oom);
}

static void
take_service(const struct json *j, int o, struct sv *sv)
{
	memset(sv, 0, sizeof *sv);
#define TEXT(field)	take_text(j, o, #field, sv->field, sizeof sv->field)
	TEXT(name);
	TEXT(type);
	TEXT(want);
	TEXT(state);
	TEXT(since);
	TEXT(user);
	TEXT(health);
	TEXT(health_text);
	TEXT(text);
	TEXT(reason);
	TEXT(next_at);
	TEXT(description);
#undef TEXT
	(void)json_int(j, json_get(j, o, "pid"), &sv->pid);
	(void)json_int(j, json_get(j, o, "restarts"), &sv->restarts);
	(void)json_int(j, json_get(j, o, "port"), &sv->port);
	(void)json_bool(j, json_get(j, o, "enabled"), &sv->enabled);
	(void)json_bool(j, json_get(j, o, "adopted"), &sv->adopted);
	(void)json_bool(j, json_get(j, o, "stale"), &sv->stale);
	take_needs(j, json_get(j, o, "needs"), sv);
	take_exit(j, json_get(j, o, "last_exit"), sv);
}

void
ctl_walk(const struct json *j, int services, ctl_each *each, void *arg)
{
	struct sv sv;
	int v;

	for (v = json_first(j, services); v >= 0;
	    v = json_next(j, services, v)) {
		take_service(j, v, &sv);
		each(arg, &sv);
	}
}

void
ctl_take_sup(const struct json *j, int o, struct sup *sup)
{
	memset(sup, 0, sizeof *sup);
	(void)json_int(j, json_get(j, o, "pid"), &sup->pid);
	take_text(j, o, "version", sup->version, sizeof sup->version);
	take_text(j, o, "since", sup->since, sizeof sup->since);
	take_text(j, o, "loaded", sup->loaded, sizeof sup->loaded);
	take_text(j, o, "services", sup->services, sizeof sup->services);
	take_text(j, o, "log", sup->log, sizeof sup->log);
}

/* Without memory the list ends early; its reader sees fewer services. */
void
ctl_gather(void *arg, const struct sv *sv)
{
	struct list *l = arg;
	struct sv *grown;

	if (l->n == l->room) {
		grown = realloc(l->sv, (size_t)(l->room * 2 + 32) *
		    sizeof *grown);
		if (grown == NULL)
			return;
		l->sv = grown;
		l->room = l->room * 2 + 32;
	}
	l->sv[l->n++] = *sv;
}

void
ctl_list_free(struct list *l)
{
	free(l->sv);
	memset(l, 0, sizeof *l);
}
