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
/* What a method needs: a service by name; a tree that is not at its end. */
#define A_NAME		1u
#define A_FUTURE	2u

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

void
control_invalid(struct call *c, const char *name)
{
	control_error(c->conn, "org.varlink.service.InvalidParameter",
	    "parameter", name, NULL);
}

/* Looks the service up that the call names; answers when there is none. */
static bool
find_named(struct call *c)
{
	char name[CONF_NAME_MAX + 1], reason[128];

	if (control_text(c, "name", name, sizeof name) < 0) {
		control_invalid(c, "name");
		return false;
	}
	if ((c->sv = tree_find(c->tree, name)) != NULL)
		return true;
	(void)snprintf(reason, sizeof reason, "no service %s", name);
	control_error(c->conn, "org.svtree.NoSuchService", "name", name,
	    reason);
	return false;
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
	struct service *sv = c->sv;

	event_tell(sv, "verb", "start");
	service_want(sv, sv->conf->type == TYPE_ONESHOT ? WANT_ONCE : WANT_UP,
	    NULL);
	control_done(c);
}

static void
do_stop(struct call *c)
{
	struct service *sv = c->sv;
	char mem[100];

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
	struct service *sv = c->sv;
	bool if_wanted = false, by_program;
	char mem[100];

	(void)json_bool(&c->json, control_param(c, "if_wanted"), &if_wanted);
	by_program = tree_find_session(c->tree, c->conn->pid) != NULL;
	if (by_program && sv->rec.paused) {
		control_fail(c->conn, "it is paused");
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
	struct service *sv = c->sv;
	bool started, last = false;

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
	struct service *sv = c->sv;
	char word[16], err[80];
	int signo;

	if (control_text(c, "signal", word, sizeof word) < 0 ||
	    (signo = conf_signal(word)) < 0)
		control_invalid(c, "signal");
	else if (service_send(sv, signo, err, sizeof err) < 0)
		control_fail(c->conn, err);
	else
		control_done(c);
}

static void
set_enabled(struct call *c, bool enabled)
{
	struct service *sv = c->sv;

	if (intent_set(c->tree, sv->conf->name, enabled) < 0) {
		log_warn("%s: write what is disabled", sv->conf->name);
		control_fail(c->conn, "the state directory cannot be written");
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
	unsigned	 needs;
} methods[] = {
	{ "Status",	control_status,	RIGHT_READ, 0 },
	{ "Subscribe",	control_subscribe,	RIGHT_READ, 0 },
	{ "Start",	do_start,	RIGHT_GRANT, A_NAME | A_FUTURE },
	{ "Stop",	do_stop,	RIGHT_GRANT, A_NAME },
	{ "Restart",	do_restart,	RIGHT_GRANT, A_NAME | A_FUTURE },
	{ "Once",	do_once,	RIGHT_GRANT, A_NAME | A_FUTURE },
	{ "Signal",	do_signal,	RIGHT_GRANT, A_NAME },
	{ "Enable",	do_enable,	RIGHT_GRANT, A_NAME },
	{ "Disable",	do_disable,	RIGHT_GRANT, A_NAME },
	{ "Reload",	control_reload,	RIGHT_GRANT, 0 },
	{ "Report",	control_report,	RIGHT_GRANT, A_NAME },
	{ "Shutdown",	control_shutdown,	RIGHT_GRANT, 0 },
	{ "Upgrade",	control_upgrade,	RIGHT_GRANT, 0 },
	{ "Detach",	control_detach,	RIGHT_GRANT, A_FUTURE },
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
	for (i = 0; i < conf_rare(sv->conf)->grants.n; i++)
		if (strcmp(conf_rare(sv->conf)->grants.v[i], m->name) == 0)
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
	if (i == nitems(methods))
		control_error(c->conn, "org.varlink.service.MethodNotFound",
		    "method", method, NULL);
	else if (!is_permitted(c, &methods[i]))
		control_error(c->conn, "org.svtree.NotPermitted", NULL, NULL,
		    "only root, the tree's owner, and services with a grant "
		    "may do this");
	else if ((methods[i].needs & A_NAME) && !find_named(c))
		return;
	else if ((methods[i].needs & A_FUTURE) && c->tree->stopping)
		control_fail(c->conn, "the tree is shutting down");
	else
		methods[i].run(c);
}
