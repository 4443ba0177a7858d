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
	(void)json_bool(j, json_get(j, e, "success"), &sv->exit_good);
}

/* What a member is and where it goes. */
enum field_kind { TEXT, NUMBER, FLAG, NEEDS, EXIT };

static const struct field {
	const char *name;
	enum field_kind kind;
	size_t	 at, cap;
} fields[] = {	/* in the order in which the supervisor writes them */
#define FIELD(f, kind) { #f, kind, offsetof(struct sv, f), \
	sizeof ((struct sv *)0)->f }
	FIELD(name, TEXT), FIELD(type, TEXT), FIELD(want, TEXT),
	FIELD(enabled, FLAG), FIELD(state, TEXT), FIELD(since, TEXT),
	FIELD(pid, NUMBER), FIELD(user, TEXT), FIELD(health, TEXT),
	FIELD(health_text, TEXT), FIELD(text, TEXT), FIELD(reason, TEXT),
	FIELD(restarts, NUMBER), FIELD(next_at, TEXT), FIELD(adopted, FLAG),
	FIELD(paused, FLAG),
	FIELD(needs, NEEDS), FIELD(stale, FLAG), FIELD(port, NUMBER),
	FIELD(probe, TEXT),
	FIELD(description, TEXT),
#undef FIELD
	{ "last_exit", EXIT, 0, 0 },
};

/* The row of a member; the search begins behind the one found before. */
static const struct field *
find_field(const struct json *j, int v, size_t *from)
{
	size_t i, k;

	for (i = 0; i < nitems(fields); i++) {
		k = (*from + i) % nitems(fields);
		if (json_name_is(j, v, fields[k].name)) {
			*from = k + 1;
			return &fields[k];
		}
	}
	return NULL;
}

static void
take_member(const struct json *j, int v, const struct field *f,
    struct sv *sv)
{
	void *at = (char *)sv + f->at;

	switch (f->kind) {
	case TEXT:
		(void)json_str(j, v, at, f->cap);
		break;
	case NUMBER:
		(void)json_int(j, v, at);
		break;
	case FLAG:
		(void)json_bool(j, v, at);
		break;
	case NEEDS:
		take_needs(j, v, sv);
		break;
	case EXIT:
	default:
		take_exit(j, v, sv);
		break;
	}
}

static void
take_service(const struct json *j, int o, struct sv *sv)
{
	const struct field *f;
	size_t from = 0;
	int v;

	memset(sv, 0, sizeof *sv);
	for (v = json_first(j, o); v >= 0; v = json_next(j, o, v))
		if ((f = find_field(j, v, &from)) != NULL)
			take_member(j, v, f, sv);
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
	take_text(j, o, "path", sup->path, sizeof sup->path);
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
