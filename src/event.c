/* SPDX-License-Identifier: ISC */
/*
 * What happens in the tree, told three ways: a JSON line in the supervisor's
 * own log (which is the incident history), a line for people on standard
 * error, and a message to every subscriber. Never blocks.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "json.h"
#include "log.h"
#include "os.h"
#include "service.h"

/* The FIFO run/svtree/log, read by svlog like that of any service. */
int
event_open(struct tree *t)
{
	char path[TREE_PATH_MAX + 32];

	t->log_fd = -1;
	(void)snprintf(path, sizeof path, "%s/svtree", t->run);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	(void)snprintf(path, sizeof path, "%s/svtree/log", t->run);
	if (mkfifo(path, 0600) < 0 && errno != EEXIST)
		return -1;
	t->log_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->log_fd < 0)
		return -1;
	os_widen(t->log_fd);	/* a start of many is a burst of lines */
	return 0;
}

static void
put_event(struct buf *b, struct tree *t, const struct service *sv,
    const char *kind, const char *reason)
{
	json_open(b, '{');
	json_set_int(b, "seq", (int64_t)++t->seq);
	json_set_time(b, "at", os_wall_us());
	json_set_str(b, "event", kind);
	if (sv != NULL) {
		json_set_str(b, "service", sv->conf->name);
		json_set_str(b, "state",
		    state_name((enum state)sv->rec.state));
		json_set_str(b, "want", want_name((enum want)sv->rec.want));
		json_set_str(b, "health",
		    health_name((enum health)sv->rec.health));
		json_set_some(b, "pid", sv->rec.pid);
	}
	json_set_str(b, "reason", reason);
	json_close(b, '}');
}

static void
publish(struct tree *t, const struct service *sv, const char *kind,
    const char *reason)
{
	char mem[4096];	/* all of a reason may have to be escaped */
	struct buf b;

	buf_init(&b, mem, sizeof mem - 1);
	put_event(&b, t, sv, kind, reason);
	if (b.overflow)
		return;
	control_publish(b.base, b.len);
	mem[b.len] = '\n';
	/* To PIPE_BUF whole or not at all. That is 512 on macOS, where a full
	 * pipe may take part of a longer line: readers pass over it. */
	if (t->log_fd >= 0)
		(void)!write(t->log_fd, mem, b.len + 1);
}

void
event_state(struct service *sv)
{
	const struct record *r = &sv->rec;
	const char *why = r->reason[0] != '\0' ? r->reason : NULL;

	publish(sv->tree, sv, "state", why);
	hook_look(sv);
	/* A restart passes through these within the same moment. */
	if (r->state == ST_WAITING || r->state == ST_FINISHING)
		return;
	log_info("%s: %s%s%s", sv->conf->name,
	    state_name((enum state)r->state), why != NULL ? ": " : "",
	    why != NULL ? why : "");
}

void
event_tell(struct service *sv, const char *kind, const char *reason)
{
	publish(sv->tree, sv, kind, reason);
	if (strcmp(kind, "incident") == 0)
		hook_tell(sv, HOOK_INCIDENT, reason);
	else if (strcmp(kind, "health") == 0)
		hook_look(sv);
	if (strcmp(kind, "text") != 0)
		log_info("%s: %s: %s", sv->conf->name, kind, reason);
}

void
event_tree(struct tree *t, const char *kind, const char *reason)
{
	publish(t, NULL, kind, reason);
	log_info("%s: %s", kind, reason);
}
