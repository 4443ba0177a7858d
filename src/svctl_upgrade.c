/* SPDX-License-Identifier: ISC */
/*
 * upgrade and detach: the supervisor goes, the services stay.
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

#define CALL_MS	10000

/* The refusal of an upgrade, from its event; false when this is another. */
static bool
is_refusal(const struct client_reply *r, char *why, size_t cap)
{
	int event = json_get(&r->json, r->params, "event");

	return json_is(&r->json, json_get(&r->json, event, "event"),
	    "upgrade") &&
	    json_str(&r->json, json_get(&r->json, event, "reason"), why,
	    cap) == 0 && strncmp(why, "refused", 7) == 0;
}

/* Until the stream ends, which is when the supervisor has gone. */
static int
wait_for_end(struct ctl *c, const char *what)
{
	int64_t deadline = ctl_now_ms() + c->timeout_ms, left;
	char err[CLIENT_ERR_LEN], why[512];
	struct client_reply r;
	int got;

	do {
		left = deadline - ctl_now_ms();
		got = client_recv(&c->events, &r, left > 0 ? (int)left : 0,
		    err);
		if (got > 0 && is_refusal(&r, why, sizeof why)) {
			(void)fprintf(stderr, "svctl: %s %s\n", what, why);
			return CTL_FAILED;
		}
	} while (got > 0);
	if (got < 0)
		return CTL_OK;
	ctl_duration(err, sizeof err, c->timeout_ms);
	(void)fprintf(stderr, "svctl: %s: not within %s; svctl history tells "
	    "how far it came\n", what, err);
	return CTL_TIMEOUT;
}

/* The new program answers on the same socket: it is asked as soon as it
 * listens to what was sent meanwhile. */
static int
print_version(struct ctl *c)
{
	char err[CLIENT_ERR_LEN], version[64] = "?";
	struct client_reply r;
	struct client fresh;
	int rc = CTL_OK;

	if (client_open(&fresh, c->run, err) < 0 ||
	    client_call(&fresh, "Status", "{\"names\":[]}", &r, CALL_MS,
	    err) < 0) {
		(void)fprintf(stderr, "svctl: the new supervisor does not "
		    "answer: %s\n", err);
		rc = CTL_NO_SUPERVISOR;
	} else {
		(void)json_str(&r.json, json_path(&r.json, r.params,
		    "supervisor/version"), version, sizeof version);
		(void)printf("supervisor is svtree %s now\n", version);
	}
	client_close(&fresh);
	return rc;
}

int
svctl_upgrade(struct ctl *c)
{
	char mem[1200], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;
	int rc;

	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	if (c->n > 0)
		json_set_str(&b, "program", c->name[0]);
	json_close(&b, '}');
	if (b.overflow) {
		(void)fprintf(stderr, "svctl: the path is too long\n");
		return CTL_USAGE;
	}
	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	if (client_call(&c->client, "Upgrade", buf_cstr(&b), &r, CALL_MS,
	    err) < 0)
		return ctl_tell(c, &r, err, NULL);
	if (c->no_wait)
		return CTL_OK;
	if ((rc = wait_for_end(c, "upgrade")) != CTL_OK)
		return rc;
	return print_version(c);
}

int
svctl_detach(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int rc;

	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	if (client_call(&c->client, "Detach", NULL, &r, CALL_MS, err) < 0)
		return ctl_tell(c, &r, err, NULL);
	return c->no_wait ? CTL_OK : wait_for_end(c, "detach");
}
