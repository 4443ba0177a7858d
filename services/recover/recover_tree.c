/* SPDX-License-Identifier: ISC */
/*
 * Calls to the supervisor and its events. Decides nothing.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "recover_tree.h"

#define CALL_MS		2000
#define AGAIN_MS	200

static struct {
	struct client	events, calls;
	bool		connected;
	int64_t		again_ms;
} t = { .events = { .fd = -1 }, .calls = { .fd = -1 } };

static int
read_all(tree_each *each, void *arg, char *err)
{
	struct client_reply r;
	struct facts f;
	int list, v;

	if (client_call(&t.calls, "Status", NULL, &r, CALL_MS, err) < 0)
		return -1;
	list = json_get(&r.json, r.params, "services");
	for (v = json_first(&r.json, list); v >= 0;
	    v = json_next(&r.json, list, v))
		if (facts_read(&f, &r.json, v) == 0)
			each(arg, &f, true);
	return 0;
}

int
tree_open(tree_each *each, void *arg, char *err)
{
	struct client_reply r;

	tree_close();
	if (client_open(&t.events, NULL, err) < 0 ||
	    client_send(&t.events, "Subscribe", NULL, true, CALL_MS, err) < 0)
		return -1;
	switch (client_recv(&t.events, &r, CALL_MS, err)) {
	case 0:
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "the supervisor does not answer");
		return -1;
	case 1:
		break;
	default:
		return -1;
	}
	if (client_open(&t.calls, NULL, err) < 0 ||
	    read_all(each, arg, err) < 0)
		return -1;
	t.connected = true;
	return 0;
}

void
tree_close(void)
{
	client_close(&t.events);
	client_close(&t.calls);
	t.connected = false;
}

int
tree_fd(void)
{
	return t.connected ? t.events.fd : -1;
}

void
tree_take(tree_each *each, void *arg, bool look, int64_t now_ms)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct facts f;
	int event, rc = -1;

	while (t.connected &&
	    (rc = client_recv(&t.events, &r, 0, err)) > 0) {
		event = json_get(&r.json, r.params, "event");
		if (event < 0 || facts_read_event(&f, &r.json, event) < 0)
			continue;
		each(arg, &f, false);
	}
	if (rc < 0)
		t.connected = false;
	if (rc == 0 && !look)
		return;
	if (now_ms < t.again_ms)
		return;
	t.again_ms = now_ms + AGAIN_MS;
	if (!t.connected)
		(void)tree_open(each, arg, err);
	else if (read_all(each, arg, err) < 0)
		t.connected = false;
}

int
tree_restart(const char *name, const char *reason, char *err)
{
	char text[CLIENT_PARAMS_MAX];
	struct client_reply r;
	struct buf b;

	buf_init(&b, text, sizeof text);
	json_open(&b, '{');
	json_set_str(&b, "name", name);
	json_set_str(&b, "reason", reason);
	json_set_bool(&b, "if_wanted", true);
	json_close(&b, '}');
	if (!t.connected) {
		(void)snprintf(err, CLIENT_ERR_LEN,
		    "the supervisor is gone");
		return -1;
	}
	return client_call(&t.calls, "Restart", buf_cstr(&b), &r, CALL_MS,
	    err);
}
