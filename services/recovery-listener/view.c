/* SPDX-License-Identifier: ISC */
/*
 * One connection for the status, one for calls, made anew when they break.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "os.h"
#include "view.h"
#include "when.h"

#define CALL_MS		250	/* the supervisor answers within one */
#define MUTE_MS		1000	/* not asked again, when it did not */

static struct {
	struct client	 status, calls;
	struct client_reply reply;	/* of the last status */
	bool		 known;
	int64_t		 at_ms;
	int64_t		 mute_ms;	/* not to be asked until then */
} view = { .status = { .fd = -1 }, .calls = { .fd = -1 } };

/* A connection that was idle may be gone: then once more, on a new one. */
static int
call(struct client *c, const char *method, const char *params,
    struct client_reply *r, char *err)
{
	bool was_open = c->fd >= 0;

	if (os_now_ms() < view.mute_ms) {
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "the supervisor does not answer");
		return -1;
	}
	for (;;) {
		if (c->fd < 0 && client_open(c, NULL, err) < 0)
			return -1;
		if (client_call(c, method, params, r, CALL_MS, err) == 0)
			return 0;
		if (r->error[0] != '\0')
			return -1;
		client_close(c);
		if (strncmp(err, "no answer", 9) == 0) {
			view.mute_ms = os_now_ms() + MUTE_MS;
			return -1;
		}
		if (!was_open)
			return -1;
		was_open = false;
	}
}

int
view_refresh(int max_age_ms, char *err)
{
	int64_t now = os_now_ms();

	if (view.known && now - view.at_ms < max_age_ms)
		return 0;
	view.known = false;
	if (call(&view.status, "Status", NULL, &view.reply, err) < 0)
		return -1;
	view.known = true;
	view.at_ms = os_now_ms();
	return 0;
}

const char *
view_text(size_t *len)
{
	*len = 0;
	return view.known ? json_raw(&view.reply.json, view.reply.params,
	    len) : NULL;
}

void
view_supervisor(const char *member, char *dst, size_t cap)
{
	const struct json *j = &view.reply.json;

	dst[0] = '\0';
	if (view.known)
		(void)json_str(j, json_get(j, json_get(j, view.reply.params,
		    "supervisor"), member), dst, cap);
}

int64_t
view_supervisor_pid(void)
{
	const struct json *j = &view.reply.json;
	int64_t pid = 0;

	if (view.known)
		(void)json_int(j, json_get(j, json_get(j, view.reply.params,
		    "supervisor"), "pid"), &pid);
	return pid;
}

static void
read_seen(struct seen *sv, const struct json *j, int v)
{
	const struct {
		const char *name;
		char *dst;
		size_t cap;
	} words[] = {
		{ "want", sv->want, sizeof sv->want },
		{ "state", sv->state, sizeof sv->state },
		{ "health", sv->health, sizeof sv->health },
		{ "health_text", sv->health_text, sizeof sv->health_text },
		{ "reason", sv->reason, sizeof sv->reason },
	};
	int exited = json_get(j, v, "last_exit");
	char time[40];
	size_t i;

	for (i = 0; i < nitems(words); i++)
		(void)json_str(j, json_get(j, v, words[i].name),
		    words[i].dst, words[i].cap);
	sv->oneshot = json_is(j, json_get(j, v, "type"), "oneshot");
	sv->enabled = true;
	(void)json_bool(j, json_get(j, v, "enabled"), &sv->enabled);
	(void)json_int(j, json_get(j, v, "pid"), &sv->pid);
	(void)json_int(j, json_get(j, v, "restarts"), &sv->restarts);
	(void)json_str(j, json_get(j, exited, "kind"), sv->exit_kind,
	    sizeof sv->exit_kind);
	(void)json_int(j, json_get(j, exited, "code"), &sv->exit_code);
	sv->probed = json_str(j, json_get(j, v, "probe"), time,
	    sizeof time) == 0;
	if (json_str(j, json_get(j, v, "since"), time, sizeof time) == 0)
		sv->since_us = when_parse(time);
	if (json_str(j, json_get(j, v, "next_at"), time, sizeof time) == 0)
		sv->next_us = when_parse(time);
}

void
view_services(view_each *each, void *arg)
{
	const struct json *j = &view.reply.json;
	struct seen sv;
	int list, v;

	if (!view.known)
		return;
	list = json_get(j, view.reply.params, "services");
	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		memset(&sv, 0, sizeof sv);
		if (json_str(j, json_get(j, v, "name"), sv.name,
		    sizeof sv.name) < 0)
			continue;
		read_seen(&sv, j, v);
		each(arg, &sv);
	}
}

struct wanted {
	const char	*name;
	struct seen	*sv;
	bool		 found;
};

static void
compare(void *arg, const struct seen *sv)
{
	struct wanted *w = arg;

	if (w->found || strcmp(sv->name, w->name) != 0)
		return;
	*w->sv = *sv;
	w->found = true;
}

bool
view_find(const char *name, struct seen *sv)
{
	struct wanted w = { .name = name, .sv = sv };

	view_services(compare, &w);
	return w.found;
}

int
view_call(const char *method, const char *name, const char *reason,
    bool *started, char *err)
{
	struct client_reply r = { .error = "" };
	char text[CLIENT_PARAMS_MAX];
	struct buf b;

	buf_init(&b, text, sizeof text);
	json_open(&b, '{');
	json_set_str(&b, "name", name);
	if (reason != NULL)
		json_set_str(&b, "reason", reason);
	json_close(&b, '}');
	if (call(&view.calls, method, buf_cstr(&b), &r, err) < 0)
		return -1;
	view.at_ms = 0;		/* what was known is old now */
	if (started != NULL)
		(void)json_bool(&r.json, json_get(&r.json, r.params,
		    "started"), started);
	return 0;
}

int
view_named(char (*name)[CONF_NAME_MAX + 1], int n, struct client_reply *r)
{
	char text[CLIENT_PARAMS_MAX], err[CLIENT_ERR_LEN];
	struct buf b;
	int i;

	buf_init(&b, text, sizeof text);
	json_open(&b, '{');
	json_key(&b, "names");
	json_open(&b, '[');
	for (i = 0; i < n; i++)
		json_put_str(&b, name[i]);
	json_close(&b, ']');
	json_close(&b, '}');
	return call(&view.calls, "Status", buf_cstr(&b), r, err);
}
