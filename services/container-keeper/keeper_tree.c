/* SPDX-License-Identifier: ISC */
/*
 * The keeper's questions to the supervisor, each on a connection of its own
 * and with a deadline.
 */
#include "client.h"
#include "compose.h"
#include "keeper_tree.h"
#include "log.h"
#include "when.h"

#define CALL_MS	3000

static int
ask(struct client *c, struct client_reply *r, const char *method,
    const char *params, char *err)
{
	if (client_open(c, NULL, err) < 0)
		return -1;
	if (client_call(c, method, params, r, CALL_MS, err) == 0)
		return 0;
	client_close(c);
	return -1;
}

static int
services(const struct client_reply *r)
{
	return json_get(&r->json, r->params, "services");
}

bool
keeper_past(const char *service, int *code, int64_t *at_us)
{
	char params[128], err[CLIENT_ERR_LEN], at[40];
	struct client_reply r;
	struct client c;
	struct buf b;
	int64_t n = 0;
	int last;

	buf_init(&b, params, sizeof params);
	json_open(&b, '{');
	json_key(&b, "names");
	json_open(&b, '[');
	json_put_str(&b, service);
	json_close(&b, ']');
	json_close(&b, '}');
	if (ask(&c, &r, "Status", buf_cstr(&b), err) < 0)
		return false;
	last = json_get(&r.json, json_first(&r.json, services(&r)),
	    "last_exit");
	(void)json_int(&r.json, json_get(&r.json, last, "code"), &n);
	(void)json_str(&r.json, json_get(&r.json, last, "at"), at, sizeof at);
	client_close(&c);
	*code = (int)n;
	*at_us = when_parse(at);
	return *at_us > 0;
}

bool
keeper_others_held(const struct conf_tree *t, const struct conf_service *own)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	bool held;

	if (ask(&c, &r, "Status", NULL, err) < 0)
		return false;
	held = compose_others_held(&r.json, services(&r), t, own);
	client_close(&c);
	return held;
}

bool
keeper_ask_stop(const char *service, const char *reason)
{
	char params[CLIENT_PARAMS_MAX], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	struct buf b;

	buf_init(&b, params, sizeof params);
	json_open(&b, '{');
	json_set_str(&b, "name", service);
	json_set_str(&b, "reason", reason);
	json_close(&b, '}');
	if (ask(&c, &r, "Stop", buf_cstr(&b), err) < 0) {
		log_warnx("stop this service: %s", err);
		return false;
	}
	client_close(&c);
	return true;
}
