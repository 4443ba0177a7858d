/* SPDX-License-Identifier: ISC */
/*
 * Methods that concern the tree as a whole, or what programs know of it:
 * reload, report, subscribe, shutdown, status.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control_methods.h"
#include "log.h"
#include "os.h"
#include "service.h"
#include "status.h"
#include "upgrade.h"

/* Names told by a reload, and its errors, gathered as JSON strings. */
static const char *const gathers[] = { "added", "removed", "changed",
    "errors" };
#define ERRORS	(nitems(gathers) - 1)

struct gathered {
	struct buf list[nitems(gathers)];
	char	 mem[nitems(gathers)][4096];
};

static void
gather_change(void *arg, const char *kind, const char *name)
{
	struct gathered *g = arg;
	size_t i;

	for (i = 0; i < ERRORS; i++)
		if (strcmp(gathers[i], kind) == 0)
			json_put_str(&g->list[i], name);
}

static void
gather_error(void *arg, const char *line)
{
	struct gathered *g = arg;

	json_put_str(&g->list[ERRORS], line);
	log_warnx("reload: %s", line);
}

static void
put_lists(struct buf *b, const struct gathered *g, size_t from, size_t to)
{
	size_t i;

	for (i = from; i <= to; i++) {
		json_key(b, gathers[i]);
		json_open(b, '[');
		buf_put(b, g->list[i].base + 1, g->list[i].len - 1);
		json_close(b, ']');
	}
}

void
control_reload(struct call *c)
{
	static struct gathered g;
	struct tree_change change = { gather_change, &g, false };
	struct buf *b = &c->conn->out;
	size_t i;
	int rc;

	(void)json_bool(&c->json, control_param(c, "dry_run"),
	    &change.only_tell);
	for (i = 0; i < nitems(gathers); i++) {
		buf_init(&g.list[i], g.mem[i], sizeof g.mem[i]);
		json_open(&g.list[i], '[');
	}
	rc = tree_load(c->tree, gather_error, &g, &change);
	json_open(b, '{');
	if (rc < 0)
		json_set_str(b, "error", "org.svtree.InvalidTree");
	json_key(b, "parameters");
	json_open(b, '{');
	if (rc < 0)
		json_set_str(b, "reason", "nothing has changed");
	put_lists(b, &g, rc < 0 ? ERRORS : 0, rc < 0 ? ERRORS : ERRORS - 1);
	json_close(b, '}');
	json_close(b, '}');
	buf_putc(b, '\0');
	if (!change.only_tell)
		event_tree(c->tree, "reload", rc < 0 ? "refused" : "done");
}

static void
report_health(struct call *c, struct service *sv, const char *reason)
{
	char word[16];
	int health, before = sv->rec.health;

	if (control_text(c, "health", word, sizeof word) < 0 ||
	    (health = health_parse(word)) < 0)
		return;
	sv->rec.health = (uint8_t)health;
	if (reason != NULL)
		buf_fit(sv->rec.health_text, sizeof sv->rec.health_text,
		    reason);
	if (health != before) {
		c->tree->needs_changed = true;
		event_tell(sv, "health", reason != NULL ? reason : word);
	}
}

/* An OOM kill, of the last run, or of the present one, which says so of
 * itself before it ends: nobody else knows whose end it was. */
static void
report_end(struct call *c, struct service *sv, const char *why)
{
	bool oom, ends = false, known;

	if (json_bool(&c->json, control_param(c, "oom"), &oom) < 0)
		return;
	(void)json_bool(&c->json, control_param(c, "ending"), &ends);
	if (ends && tree_find_session(c->tree, c->conn->pid) != sv)
		return;
	known = ends ? sv->ends_by_oom : sv->rec.exit_oom;
	/* Several may have seen the same death. */
	if (why != NULL && (!oom || !known))
		event_tell(sv, oom ? "oom" : "exit", why);
	if (why != NULL)
		service_set_reason(sv, "%s", why);
	if (ends)
		sv->ends_by_oom = oom;
	else
		sv->rec.exit_oom = oom;
}

/* What is longer than is kept is cut: health without its reason, or nothing,
 * would be worse. NULL: not given. */
static const char *
fit_text(const struct call *c, const char *key, char *dst, size_t cap)
{
	static char whole[CONTROL_IN_MAX];

	if (control_text(c, key, whole, sizeof whole) < 0)
		return NULL;
	buf_fit(dst, cap, whole);
	return dst;
}

void
control_report(struct call *c)
{
	struct service *sv = c->sv;
	char reason[120], text[CONF_INCIDENT_MAX + 1];
	const char *why = fit_text(c, "reason", reason, sizeof reason);

	report_health(c, sv, why);
	if (fit_text(c, "text", sv->rec.text, sizeof sv->rec.text) != NULL)
		event_tell(sv, "text", sv->rec.text);
	report_end(c, sv, why);
	if (fit_text(c, "incident", text, sizeof text) != NULL)
		event_tell(sv, "incident", text);
	(void)service_save(sv);
	control_done(c);
}

void
control_subscribe(struct call *c)
{
	c->conn->subscribed = c->more;
	control_reply(c->conn, "{}", c->more);
}

void
control_shutdown(struct call *c)
{
	control_done(c);
	tree_shutdown(c->tree);
}

void
control_upgrade(struct call *c)
{
	char program[1024], err[CONF_ERR_LEN];
	int v = control_param(c, "program");

	if (json_kind(&c->json, v) == JSON_STRING &&
	    control_text(c, "program", program, sizeof program) < 0)
		control_invalid(c, "program");
	else if (upgrade_begin(c->tree, json_kind(&c->json, v) ==
	    JSON_STRING ? program : NULL, err) < 0)
		control_fail(c->conn, err);
	else
		control_done(c);
}

void
control_detach(struct call *c)
{
	control_done(c);
	event_tree(c->tree, "detach", "leaving; the services run on");
	c->tree->detached = c->tree->done = true;
}

/* Status: a list that may be longer than the buffer, written as it drains. */
void
control_status(struct call *c)
{
	const struct tree *t = c->tree;
	const struct status_tree tree = { .pid = (long)getpid(),
	    .since_us = t->since_us, .loaded_us = t->loaded_us,
	    .services = t->services, .state = t->state, .log = t->log };
	struct conn *conn = c->conn;
	int list = control_param(c, "names"), v;
	char name[CONF_NAME_MAX + 1];

	buf_reset(&conn->wanted);
	conn->listing_some = json_kind(&c->json, list) == JSON_ARRAY;
	for (v = json_first(&c->json, list); v >= 0;
	    v = json_next(&c->json, list, v)) {
		if (json_str(&c->json, v, name, sizeof name) < 0 ||
		    tree_find(c->tree, name) == NULL) {
			control_error(conn, "org.svtree.NoSuchService",
			    "name", name, "no such service");
			return;
		}
		buf_put(&conn->wanted, name, strlen(name) + 1);
	}
	buf_puts(&conn->out, "{\"parameters\":{\"supervisor\":");
	status_put_supervisor(&conn->out, &tree);
	buf_puts(&conn->out, ",\"services\":[");
	conn->listing = 0;
	conn->listed = false;
}

static bool
is_wanted(const struct conn *conn, const char *name)
{
	size_t at;

	if (!conn->listing_some)
		return true;
	for (at = 0; at < conn->wanted.len;
	    at += strlen(conn->wanted.base + at) + 1)
		if (strcmp(conn->wanted.base + at, name) == 0)
			return true;
	return false;
}

bool
control_list_more(struct tree *t, struct conn *conn)
{
	const struct status_now now = { .now_ms = os_now_ms(),
	    .awake_ms = os_awake_ms(), .wall_us = os_wall_us() };

	for (; conn->listing < t->n; conn->listing++) {
		struct service *sv = t->sv[conn->listing];

		if (!is_wanted(conn, sv->conf->name))
			continue;
		if (buf_room(&conn->out) < STATUS_SERVICE_MAX)
			return false;
		/* What the comma would be seen by has gone out. */
		if (conn->listed && conn->out.len == 0)
			buf_putc(&conn->out, ',');
		conn->listed = true;
		status_put_service(&conn->out, sv->conf, &sv->rec, sv->stale,
		    &now);
	}
	buf_puts(&conn->out, "]}}");
	buf_putc(&conn->out, '\0');
	conn->listing = -1;
	return true;
}
