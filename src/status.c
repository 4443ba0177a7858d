/* SPDX-License-Identifier: ISC */
/*
 * Status in JSON. Formats what it is given; knows no tree.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "machine.h"
#include "policy.h"
#include "status.h"

static const char *const kinds[] = {
	[EXIT_NONE] = "none", [EXIT_CODE] = "exit",
	[EXIT_SIGNAL] = "signal", [EXIT_UNKNOWN] = "unknown",
};

static void
put_last_exit(struct buf *b, const struct conf_service *conf,
    const struct record *r)
{
	json_key(b, "last_exit");
	if (r->exit_kind == EXIT_NONE || r->exit_kind > EXIT_UNKNOWN) {
		json_put_null(b);
		return;
	}
	json_open(b, '{');
	json_set_str(b, "kind", kinds[r->exit_kind]);
	json_key(b, "code");
	if (r->exit_kind == EXIT_CODE)
		json_put_int(b, r->exit_value);
	else
		json_put_null(b);
	json_set_str(b, "signal", r->exit_kind == EXIT_SIGNAL ?
	    conf_signal_name(r->exit_value) : NULL);
	json_set_bool(b, "oom", r->exit_oom != 0);
	json_set_bool(b, "success", policy_is_success(conf, r));
	json_set_time(b, "at", r->exit_us);
	json_close(b, '}');
}

static void
put_needs(struct buf *b, const struct conf_service *conf)
{
	char word[CONF_NAME_MAX + 16];
	struct buf w;
	int i;

	json_key(b, "needs");
	json_open(b, '[');
	for (i = 0; i < conf->needs.n && buf_room(b) > 1024; i++) {
		buf_init(&w, word, sizeof word);
		buf_printf(&w, "%s%s", conf->needs.v[i].name,
		    conf->needs.v[i].healthy ? ":healthy" : "");
		json_put_str(b, buf_cstr(&w));
	}
	json_close(b, ']');
}

static const char *
or_null(const char *s)
{
	return s == NULL || s[0] == '\0' ? NULL : s;
}

/* When the deadline of the state comes: for states in which it leads to a
 * next step that a person waits for. For a timer at rest, its next run. */
static int64_t
next_at_us(const struct conf_service *conf, const struct record *r,
    const struct status_now *now)
{
	if (r->state == ST_DOWN && conf->every_ms > 0 && r->due_ms > 0 &&
	    !r->disabled)
		return now->wall_us + (r->due_ms - now->awake_ms) * 1000;
	if (r->deadline_ms == 0 || r->state == ST_UP || r->state == ST_DOWN)
		return 0;
	return now->wall_us + (r->deadline_ms - now->now_ms) * 1000;
}

/* That of [port], else the one in the address that is probed; 0 none. */
static long
port_of(const struct conf_service *conf)
{
	/* Records without a definition have none. */
	const char *at, *url = conf->health != NULL ? conf->health->url : NULL;
	long port;

	if (conf->port.number > 0)
		return (long)conf->port.number;
	if (url == NULL || (at = strstr(url, "://")) == NULL)
		return 0;
	at += strcspn(at + 3, "/?#") + 3;
	while (at > url && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at[-1] != ':')
		return 0;
	port = strtol(at, NULL, 10);
	return port > 0 && port <= 65535 ? port : 0;
}

void
status_put_service(struct buf *b, const struct conf_service *conf,
    const struct record *r, bool stale, const struct status_now *now)
{
	json_open(b, '{');
	json_set_str(b, "name", conf->name);
	json_set_str(b, "type", conf->type == TYPE_ONESHOT ? "oneshot" :
	    "daemon");
	json_set_str(b, "want", want_name((enum want)r->want));
	json_set_bool(b, "enabled", !r->disabled);
	json_set_str(b, "state", state_name((enum state)r->state));
	json_set_time(b, "since", r->since_us);
	json_set_some(b, "pid", r->state != ST_FINISHING ? r->pid : 0);
	json_set_str(b, "user", conf->user);
	json_set_str(b, "health", health_name((enum health)r->health));
	json_set_str(b, "health_text", or_null(r->health_text));
	json_set_str(b, "text", or_null(r->text));
	json_set_str(b, "reason", or_null(r->reason));
	json_set_int(b, "restarts", r->restarts);
	json_set_time(b, "next_at", next_at_us(conf, r, now));
	json_set_bool(b, "adopted", r->adopted != 0);
	json_set_bool(b, "paused", r->paused != 0);
	put_needs(b, conf);
	json_set_bool(b, "stale", stale);
	json_set_some(b, "port", port_of(conf));
	json_set_str(b, "probe", conf->health != NULL ?
	    conf->health->type : NULL);
	json_set_str(b, "description", conf->description);
	put_last_exit(b, conf, r);
	json_close(b, '}');
}

void
status_put_supervisor(struct buf *b, const struct status_tree *t)
{
	json_open(b, '{');
	json_set_int(b, "pid", t->pid);
	json_set_str(b, "version", PACKAGE_VERSION);
	json_set_time(b, "since", t->since_us);
	json_set_time(b, "loaded", t->loaded_us);
	json_set_str(b, "services", t->services);
	json_set_str(b, "state", t->state);
	json_set_str(b, "log", t->log);
	json_set_str(b, "path", conf_default_path());
	json_close(b, '}');
}
