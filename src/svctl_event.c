/* SPDX-License-Identifier: ISC */
/*
 * Events of the supervisor as structs.
 */
#include <stddef.h>
#include <string.h>

#include "svctl_event.h"

#define TOKENS		128

void
event_take(const struct json *j, int o, struct event *e)
{
	static const struct {
		const char *key;
		size_t	 at, cap;
	} fields[] = {
#define FIELD(f) { #f, offsetof(struct event, f), \
	sizeof ((struct event *)0)->f }
		FIELD(at), FIELD(event), FIELD(service), FIELD(state),
		FIELD(want), FIELD(health), FIELD(reason),
#undef FIELD
	};
	size_t i;

	e->seq = 0;
	(void)json_int(j, json_get(j, o, "seq"), &e->seq);
	for (i = 0; i < nitems(fields); i++)
		(void)json_str(j, json_get(j, o, fields[i].key),
		    (char *)e + fields[i].at, fields[i].cap);
}

int
event_parse(const char *line, size_t len, struct event *e)
{
	struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	struct json j;

	if (json_parse(&j, line, len, tok, TOKENS, err) < 0)
		return -1;
	event_take(&j, 0, e);
	return 0;
}

bool
event_concerns(const struct ctl *c, const struct event *e)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (ctl_is(c->name[i], e->service))
			return true;
	return c->n == 0;
}
