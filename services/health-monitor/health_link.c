/* SPDX-License-Identifier: ISC */
/*
 * The line to the supervisor: a stream of its events, opened again when it
 * broke, and a status behind each opening, so that nothing is missed. What
 * it says goes to the targets at once. Without a supervisor nothing is
 * known to run, and nothing is asked.
 */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "health.h"
#include "log.h"
#include "os.h"
#include "when.h"

#define CALL_MS		3000
#define RETRY_MS	100
#define RETRY_MAX_MS	2000

static struct {
	struct client	 events;
	bool		 open;
	int64_t		 retry_ms, retry_at_ms;
	bool		 said;		/* that nobody is there */
	bool		 reload;	/* the services have changed */
} line = { .retry_ms = RETRY_MS };

/* --- what the supervisor says */

/* Since when, as an age; the wall clock may have jumped. */
static int64_t
age_of(const char *at)
{
	int64_t then = when_parse(at), age;

	age = then == 0 ? 0 : (os_wall_us() - then) / 1000;
	return age > 0 ? age : 0;
}

static void
take_state(struct target *t, const char *state, int64_t pid, int64_t age_ms)
{
	if (strcmp(state, "UP") == 0)
		watch_up(t, (pid_t)pid, age_ms);
	else
		watch_down(t);
}

static void
take_service(const struct json *j, int sv)
{
	char name[CONF_NAME_MAX + 1], state[16], since[40];
	struct target *t;
	int64_t pid = 0;

	if (json_str(j, json_get(j, sv, "name"), name, sizeof name) < 0 ||
	    json_str(j, json_get(j, sv, "state"), state, sizeof state) < 0 ||
	    (t = targets_find(name)) == NULL)
		return;
	(void)json_int(j, json_get(j, sv, "pid"), &pid);
	(void)json_str(j, json_get(j, sv, "since"), since, sizeof since);
	(void)json_str(j, json_get(j, sv, "user"), t->user, sizeof t->user);
	take_state(t, state, pid, age_of(since));
}

static int
take_status(char *err)
{
	struct client_reply r;
	struct client c;
	int list, sv, rc;

	if (client_open(&c, NULL, err) < 0)
		return -1;
	rc = client_call(&c, "Status", NULL, &r, CALL_MS, err);
	if (rc == 0) {
		list = json_get(&r.json, r.params, "services");
		for (sv = json_first(&r.json, list); sv >= 0;
		    sv = json_next(&r.json, list, sv))
			take_service(&r.json, sv);
	}
	client_close(&c);
	return rc;
}

static void
take_event(const struct json *j, int e)
{
	char name[CONF_NAME_MAX + 1], word[24], kind[16];
	struct target *t;
	int64_t pid = 0;

	if (json_str(j, json_get(j, e, "event"), kind, sizeof kind) < 0)
		return;
	if (strcmp(kind, "reload") == 0 &&
	    json_is(j, json_get(j, e, "reason"), "done"))
		line.reload = true;
	if (json_str(j, json_get(j, e, "service"), name, sizeof name) < 0 ||
	    (t = targets_find(name)) == NULL)
		return;
	if (strcmp(kind, "state") == 0 &&
	    json_str(j, json_get(j, e, "state"), word, sizeof word) == 0) {
		(void)json_int(j, json_get(j, e, "pid"), &pid);
		take_state(t, word, pid, 0);
	} else if (strcmp(kind, "health") == 0 &&
	    json_is(j, json_get(j, e, "health"), "unknown")) {
		/* port-guard's word: the port is free. */
		watch_free(t);
	} else if (strcmp(kind, "verb") == 0 && !t->ladder.asked) {
		/* Not our order, so a person's or a program's for one. */
		ladder_started(&t->ladder, true);
		budget_save();
	}
}

/* --- the line itself */

static void
lose(const char *why)
{
	client_close(&line.events);
	line.open = false;
	line.retry_ms = RETRY_MS;
	line.retry_at_ms = os_now_ms();
	log_info("the supervisor's events ended: %s", why);
}

static int
subscribe(char *err)
{
	struct client_reply r;

	if (client_open(&line.events, NULL, err) < 0)
		return -1;
	if (client_send(&line.events, "Subscribe", NULL, true, CALL_MS,
	    err) == 0 && client_recv(&line.events, &r, CALL_MS, err) == 1) {
		if (r.error[0] == '\0' && take_status(err) == 0)
			return 0;
		if (r.error[0] != '\0')
			(void)snprintf(err, CLIENT_ERR_LEN, "%s", r.reason);
	}
	client_close(&line.events);
	return -1;
}

int64_t
link_step(int64_t now_ms)
{
	char err[CLIENT_ERR_LEN] = "no answer";
	int i;

	if (line.open)
		return INT64_MAX;
	if (now_ms < line.retry_at_ms)
		return line.retry_at_ms;
	if (subscribe(err) == 0) {
		line.open = true;
		line.said = false;
		for (i = 0; i < targets_count(); i++)
			tell_again(targets_get(i));
		return INT64_MAX;
	}
	if (!line.said)
		log_warnx("no supervisor to follow: %s", err);
	line.said = true;
	line.retry_at_ms = os_now_ms() + line.retry_ms;
	line.retry_ms *= 2;
	if (line.retry_ms > RETRY_MAX_MS)
		line.retry_ms = RETRY_MAX_MS;
	return line.retry_at_ms;
}

int
link_fd(void)
{
	return line.open ? line.events.fd : -1;
}

void
link_read(void)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int got = 0, event;

	while (line.open && (got = client_recv(&line.events, &r, 0, err)) > 0) {
		event = json_get(&r.json, r.params, "event");
		if (event >= 0)
			take_event(&r.json, event);
	}
	if (got < 0)
		lose(err);
	if (!line.reload)
		return;
	line.reload = false;
	link_reload();
}

void
link_reload(void)
{
	char err[CLIENT_ERR_LEN];

	if (targets_load() < 0)
		log_warnx("the services are not read: probes stay as they "
		    "were");
	if (line.open && take_status(err) < 0)
		lose(err);
}

void
link_close(void)
{
	client_close(&line.events);
	line.open = false;
}

/* --- what is asked of it */

static int
call(const char *method, const char *name, const char *key,
    const char *value)
{
	char text[CLIENT_PARAMS_MAX], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	struct buf b;
	int rc;

	buf_init(&b, text, sizeof text);
	json_open(&b, '{');
	json_set_str(&b, "name", name);
	if (key != NULL)
		json_set_str(&b, key, value);
	if (strcmp(method, "Restart") == 0)
		json_set_bool(&b, "if_wanted", true);
	json_close(&b, '}');
	if ((rc = client_open(&c, NULL, err)) == 0) {
		rc = client_call(&c, method, buf_cstr(&b), &r, CALL_MS, err);
		client_close(&c);
	}
	if (rc < 0)
		log_warnx("%s: ask the supervisor for %s: %s", name, method,
		    err);
	return rc;
}

int
link_restart(const char *name, const char *reason)
{
	return call("Restart", name, "reason", reason);
}

int
link_signal(const char *name, const char *signal)
{
	return call("Signal", name, "signal", signal);
}

int
link_once(const char *name)
{
	return call("Once", name, NULL, NULL);
}
