/* SPDX-License-Identifier: ISC */
/*
 * The program's own place in the tree. Keeps what the supervisor should know
 * apart from what it was told, so that a supervisor that is away for a moment
 * hears it later.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "report.h"
#include "self.h"

#define AGAIN_MS 2000

static struct {
	char	 health[16], reason[120], text[200], end[120];
	char	 incident[CONF_INCIDENT_MAX + 1];
	bool	 new_health, new_text, new_incident, new_end, oom, ending;
	int64_t	 again_ms;
} me;

const char *
self_name(const char *name)
{
	const char *given = getenv("SVTREE_SERVICE");

	return given != NULL && *given != '\0' ? given : name;
}

const struct conf_service *
self_conf(struct conf_tree *t)
{
	const char *dir = getenv("SVTREE_SERVICES");
	const struct conf_service *own;

	(void)memset(t, 0, sizeof *t);
	if (dir == NULL || *dir == '\0' ||
	    conf_load_partly(t, dir, NULL, NULL) < 0)
		return NULL;
	own = conf_find(t, self_name(""));
	if (own == NULL || own->broken == NULL)
		return own;
	log_warnx("%s: %s", own->name, own->broken);
	return NULL;
}

const char *
self_docker_socket(const struct conf_tree *t, const struct conf_service *own)
{
	int i;

	if (own != NULL && own->docker->socket != NULL)
		return own->docker->socket;
	for (i = 0; i < t->n; i++)
		if (t->service[i].docker->socket != NULL)
			return t->service[i].docker->socket;
	return NULL;
}

/* True when it is something new. What does not fit is cut. */
static bool
set(char *dst, size_t cap, const char *text)
{
	if (strncmp(dst, text, cap - 1) == 0)
		return false;
	(void)strlcpy(dst, text, cap);
	return true;
}

void
self_health(const char *health, const char *reason)
{
	bool fresh = set(me.health, sizeof me.health, health);

	if (reason != NULL && set(me.reason, sizeof me.reason, reason))
		fresh = true;
	me.new_health |= fresh;
}

void
self_text(const char *fmt, ...)
{
	char text[sizeof me.text];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	me.new_text |= set(me.text, sizeof me.text, text);
}

void
self_incident(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(me.incident, sizeof me.incident, fmt, ap);
	va_end(ap);
	me.new_incident = true;
	log_info("%s", me.incident);
}

void
self_ended(bool oom, const char *reason)
{
	me.new_end |= set(me.end, sizeof me.end, reason);
	me.oom = oom;
	me.ending = false;
}

void
self_ends_by_oom(const char *reason)
{
	self_ended(true, reason);
	me.new_end = me.ending = true;
}

static int
send_all(char *err)
{
	struct report r = { .oom = false };
	int rc = 0;

	if (me.new_health) {
		r.health = me.health;
		r.reason = me.reason;
	}
	if (me.new_text)
		r.text = me.text;
	if (me.new_incident)
		r.incident = me.incident;
	if (me.new_health || me.new_text || me.new_incident)
		rc = report_send(self_name(""), &r, err);
	if (rc >= 0 && me.new_end) {
		struct report end = { .oom = me.oom, .ended = true,
		    .ending = me.ending, .reason = me.end };

		rc = report_send(self_name(""), &end, err);
	}
	return rc;
}

int64_t
self_flush(int64_t now_ms)
{
	char err[CLIENT_ERR_LEN];
	int rc = 0;

	if (!me.new_health && !me.new_text && !me.new_incident && !me.new_end)
		return INT64_MAX;
	if (report_wanted()) {
		if (now_ms < me.again_ms)
			return me.again_ms;
		if ((rc = send_all(err)) != 0)
			log_warnx("report: %s", err);
	}
	if (rc < 0) {
		me.again_ms = now_ms + AGAIN_MS;
		return me.again_ms;
	}
	me.new_health = me.new_text = me.new_incident = me.new_end = false;
	return INT64_MAX;
}
