/* SPDX-License-Identifier: ISC */
/*
 * What the system says about processes: who has a target's port, and whether
 * the target's own processes do anything. Both read the process table, so
 * they are asked only when something is not as it should be.
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "health.h"
#include "os.h"
#include "works.h"

static void
put_user(char *dst, size_t cap, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(dst, cap, "%s", pw->pw_name);
	else
		(void)snprintf(dst, cap, "%ld", (long)uid);
}

/* Of the group or the session that the service's process leads. */
static bool
is_own(const struct target *t, pid_t pid)
{
	return pid == t->pid || getpgid(pid) == t->pid ||
	    getsid(pid) == t->pid;
}

void
holder_look(const struct target *t, struct round *r)
{
	char name[40], user[40];
	uid_t uid = (uid_t)-1, own;
	pid_t pid;

	if (t->port == 0 || t->pid <= 0)
		return;
	pid = os_port_holder(t->port, &uid);
	if (pid > 0) {
		r->ours = is_own(t, pid);
		if (r->ours || os_proc_name(pid, name, sizeof name,
		    &uid) < 0)
			return;
		put_user(user, sizeof user, uid);
		r->foreign = true;
		r->holder_pid = (long)pid;
		(void)memcpy(r->holder_name, name, sizeof r->holder_name);
		(void)snprintf(r->holder, sizeof r->holder, "port %u is held "
		    "by pid %ld (%s, user %s)", (unsigned)t->port, (long)pid,
		    name, user);
		return;
	}
	/* Somebody who cannot be named: ours only if it is our user's. */
	if (pid == 0 || uid == (uid_t)-1 ||
	    os_proc_name(t->pid, name, sizeof name, &own) < 0 || own == uid)
		return;
	put_user(user, sizeof user, uid);
	r->foreign = true;
	(void)snprintf(r->holder, sizeof r->holder, "port %u is held by an "
	    "unknown process of user %s", (unsigned)t->port, user);
}

bool
holder_works(struct target *t, int64_t now_ms)
{
	uint64_t rss, cpu_ms, before = t->cpu_ms;
	int64_t since = t->cpu_at_ms;
	pid_t group = t->adopted > 0 ? getpgid(t->adopted) : t->pid;

	if (group <= 0 || os_group_usage(group, &rss, &cpu_ms) < 0)
		return false;
	t->cpu_ms = cpu_ms;
	t->cpu_at_ms = now_ms;
	if (since == 0 || now_ms <= since || cpu_ms < before)
		return false;
	cpu_ms -= before;
	return works((int64_t)cpu_ms, now_ms - since);
}
