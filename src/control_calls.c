/* SPDX-License-Identifier: ISC */
/*
 * What each method of org.svtree does, and who may call it: a table.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control_methods.h"
#include "interface.h"
#include "log.h"
#include "os.h"
#include "policy.h"
#include "service.h"

enum right { RIGHT_READ, RIGHT_GRANT };

int
control_param(const struct call *c, const char *name)
{
	return json_get(&c->json, c->params, name);
}

int
control_text(const struct call *c, const char *name, char *dst, size_t cap)
{
	return json_str(&c->json, control_param(c, name), dst, cap);
}

void
control_done(struct call *c)
{
	control_reply(c->conn, "{}", false);
}

static void
fail(struct call *c, const char *reason)
{
	control_error(c->conn, "org.svtree.Failed", NULL, reason);
}

/* The service that the call names; answers itself when there is none. */
struct service *
control_named(struct call *c)
{
	char name[CONF_NAME_MAX + 1], reason[128];
	struct service *sv;

	if (control_text(c, "name", name, sizeof name) < 0) {
		interface_error(c, "InvalidParameter", "parameter", "name");
		return NULL;
	}
	if ((sv = tree_find(c->tree, name)) == NULL) {
		(void)snprintf(reason, sizeof reason, "no service %s", name);
		control_error(c->conn, "org.svtree.NoSuchService", name,
		    reason);
	}
	return sv;
}

static const char *
reason_of(const struct call *c, char *mem, size_t cap, const char *otherwise)
{
	struct service *caller;

	if (json_str(&c->json, control_param(c, "reason"), mem, cap) == 0)
		return mem;
	caller = tree_find_session(c->tree, c->conn->pid);
	if (caller == NULL)
		return otherwise;
	(void)snprintf(mem, cap, "%s by %s", otherwise, caller->conf->name);
	return mem;
}

static void
do_start(struct call *c)
{
	struct service *sv = control_named(c);

	if (sv == NULL)
		return;
	if (c->tree->stopping) {
		fail(c, "the tree is shutting down");
		return;
	}
	event_tell(sv, "verb", "start");
	service_want(sv, sv->conf->type == TYPE_ONESHOT ? WANT_ONCE : WANT_UP,
	    NULL);
	control_done(c);
}

static void
do_stop(struct call *c)
{
	struct service *sv = control_named(c);
	char mem[100];

	if (sv == NULL)
		return;
	event_tell(sv, "verb", "stop");
	/* Its timer must not bring back what a person stopped. */
	if (sv->conf->every_ms > 0 &&
	    tree_find_session(c->tree, c->conn->pid) == NULL)
		sv->rec.due_ms = TIMER_HELD;
	service_want(sv, WANT_DOWN,
	    reason_of(c, mem, sizeof mem, "stopped on request"));
	control_done(c);
}

static void
do_restart(struct call *c)
{
	struct service *sv = control_named(c);
	bool if_wanted = false, by_program;
	char mem[100];

	if (sv == NULL)
		return;
	(void)json_bool(&c->json, control_param(c, "if_wanted"), &if_wanted);
	if (c->tree->stopping) {
		fail(c, "the tree is shutting down");
		return;
	}
	by_program = tree_find_session(c->tree, c->conn->pid) != NULL;
	if (by_program && sv->rec.paused) {
		fail(c, "it is paused");
		return;
	}
	if (!if_wanted || sv->rec.want != WANT_DOWN) {
		event_tell(sv, "verb", "restart");
		if (!by_program)
			policy_reset(&sv->rec);
		service_restart(sv, reason_of(c, mem, sizeof mem,
		    "restarted on request"), by_program ? AGAIN_COUNTED :
		    AGAIN_ASKED);
	}
	control_done(c);
}

static void
do_once(struct call *c)
{
	struct service *sv = control_named(c);
	bool started, last = false;

	if (sv == NULL)
		return;
	if (c->tree->stopping) {
		fail(c, "the tree is shutting down");
		return;
	}
	(void)json_bool(&c->json, control_param(c, "last"), &last);
	started = !state_is_alive(sv->rec.state);
	if (started || (last && sv->rec.want == WANT_UP)) {
		event_tell(sv, "verb", "once");
		service_want(sv, WANT_ONCE, NULL);
	}
	control_reply(c->conn, started ? "{\"started\":true}" :
	    "{\"started\":false}", false);
}

static void
do_signal(struct call *c)
{
	struct service *sv = control_named(c);
	char word[16], err[80];
	int signo;

	if (sv == NULL)
		return;
	if (control_text(c, "signal", word, sizeof word) < 0 ||
	    (signo = conf_signal(word)) < 0)
		interface_error(c, "InvalidParameter", "parameter", "signal");
	else if (service_send(sv, signo, err, sizeof err) < 0)
		fail(c, err);
	else
		control_done(c);
}

static void
set_enabled(struct call *c, bool enabled)
{
	struct service *sv = control_named(c);

	if (sv == NULL)
		return;
	if (intent_set(c->tree, sv->conf->name, enabled) < 0) {
		log_warn("%s: write what is disabled", sv->conf->name);
		fail(c, "the state directory cannot be written");
		return;
	}
	sv->rec.disabled = !enabled;
	event_tell(sv, "verb", enabled ? "enable" : "disable");
	if (!enabled || sv->conf->type != TYPE_ONESHOT)
		service_want(sv, enabled ? WANT_UP : WANT_DOWN,
		    enabled ? NULL : "disabled");
	else
		(void)service_save(sv);
	control_done(c);
}

static void
do_enable(struct call *c)
{
	set_enabled(c, true);
}

static void
do_disable(struct call *c)
{
	set_enabled(c, false);
}

static const struct method {
	const char	*name;
	void		(*run)(struct call *);
	enum right	 right;
} methods[] = {
	{ "Status",	control_status,	RIGHT_READ },
	{ "Subscribe",	control_subscribe,	RIGHT_READ },
	{ "Start",	do_start,	RIGHT_GRANT },
	{ "Stop",	do_stop,	RIGHT_GRANT },
	{ "Restart",	do_restart,	RIGHT_GRANT },
	{ "Once",	do_once,	RIGHT_GRANT },
	{ "Signal",	do_signal,	RIGHT_GRANT },
	{ "Enable",	do_enable,	RIGHT_GRANT },
	{ "Disable",	do_disable,	RIGHT_GRANT },
	{ "Reload",	control_reload,	RIGHT_GRANT },
	{ "Report",	control_report,	RIGHT_GRANT },
	{ "Shutdown",	control_shutdown,	RIGHT_GRANT },
	{ "Upgrade",	control_upgrade,	RIGHT_GRANT },
	{ "Detach",	control_detach,	RIGHT_GRANT },
};

/* The owner and root may do all; the readers' group and the services of the
 * tree may see; a service's own processes may do what its grants say, and
 * report on itself. */
static bool
is_permitted(const struct call *c, const struct method *m)
{
	const struct service *sv;
	int i;

	if (c->conn->uid == 0 || c->conn->uid == c->tree->owner)
		return true;
	sv = tree_find_session(c->tree, c->conn->pid);
	if (m->right == RIGHT_READ)
		return sv != NULL ||
		    os_peer_in_group(c->conn->fd, c->tree->readers);
	if (sv == NULL)
		return false;
	for (i = 0; i < sv->conf->grants.n; i++)
		if (strcmp(sv->conf->grants.v[i], m->name) == 0)
			return true;
	return strcmp(m->name, "Report") == 0 &&
	    json_is(&c->json, control_param(c, "name"), sv->conf->name);
}

void
control_call(struct call *c, const char *method)
{
	static const char prefix[] = "org.svtree.";
	const char *name = method + sizeof prefix - 1;
	size_t i;

	if (interface_call(c, method))
		return;
	if (strncmp(method, prefix, sizeof prefix - 1) != 0)
		name = "";
	for (i = 0; i < nitems(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			break;
	if (i == nitems(methods)) {
		interface_error(c, "MethodNotFound", "method", method);
		return;
	}
	if (is_permitted(c, &methods[i])) {
		methods[i].run(c);
		return;
	}
	control_error(c->conn, "org.svtree.NotPermitted", NULL,
	    "only root, the tree's owner, and services with a grant may "
	    "do this");
}
