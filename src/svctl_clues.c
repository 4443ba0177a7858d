/* SPDX-License-Identifier: ISC */
/*
 * What else is known of a service: who holds its port, what went wrong last.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "svctl.h"
#include "svctl_event.h"

#define LOOK_BACK	128000	/* bytes, about 800 events of the tree */

/* Whose process has the port: its own, another's, nobody's. */
bool
ctl_port_words(char *dst, size_t cap, const struct sv *sv)
{
	char name[64] = "?";
	uid_t uid = 0;
	pid_t holder;
	bool own;

	dst[0] = '\0';
	if (sv->port <= 0)
		return false;
	holder = os_port_holder((uint16_t)sv->port, &uid);
	if (holder > 0)
		(void)os_proc_name(holder, name, sizeof name, NULL);
	own = holder > 0 && sv->pid > 0 && getsid(holder) == (pid_t)sv->pid;
	if (holder == 0)
		(void)snprintf(dst, cap, "%lld, nobody listens",
		    (long long)sv->port);
	else if (holder < 0)
		(void)snprintf(dst, cap, "%lld, held by a process of user "
		    "%ld that cannot be named; root could",
		    (long long)sv->port, (long)uid);
	else
		(void)snprintf(dst, cap, "%lld, held by %s (pid %d, %s, user "
		    "%ld)", (long long)sv->port, own ? "itself" :
		    "ANOTHER process", (int)holder, name, (long)uid);
	return holder != 0 && !own;
}

static bool
is_incident(const struct event *e)
{
	if (ctl_is(e->event, "exit"))	/* not when it was told to */
		return !ctl_is(e->state, "STOPPING") &&
		    !ctl_is(e->state, "FINISHING") &&
		    !ctl_is(e->reason, "exited with code 0");
	if (ctl_is(e->event, "health"))
		return ctl_is(e->health, "failing");
	return ctl_is(e->event, "incident") || ctl_is(e->event, "oom");
}

static bool
take(void *arg, const char *line, size_t len)
{
	struct event e;

	if (event_parse(line, len, &e) < 0 || !is_incident(&e))
		return false;
	*(struct event *)arg = e;
	return true;
}

void
ctl_last_incident(struct ctl *c, const char *name, char *dst, size_t cap)
{
	struct event e;
	char dir[1024], ago[32], mark[96];

	dst[0] = '\0';
	(void)snprintf(mark, sizeof mark, "\"service\":\"%s\"", name);
	if (ctl_log_dir(c, "svtree", dir, sizeof dir) < 0 ||
	    !ctl_last_with(dir, LOOK_BACK, mark, take, &e))
		return;
	ctl_ago(ago, sizeof ago, e.at);
	(void)snprintf(dst, cap, "%s ago: %s", ago, e.reason);
}
