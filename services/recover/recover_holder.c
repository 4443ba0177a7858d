/* SPDX-License-Identifier: ISC */
/*
 * Who listens where the service should. A restart does not help against a
 * server that somebody else has started on the port.
 */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "os.h"
#include "recover_branch.h"

/* Of the group, or the session, that the service's leader leads. */
static bool
is_own(pid_t pid, pid_t leader)
{
	return pid == leader || getpgid(pid) == leader ||
	    getsid(pid) == leader;
}

static void
put_user(char *dst, size_t cap, uid_t uid)
{
	const struct passwd *pw = uid == (uid_t)-1 ? NULL : getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(dst, cap, "%s", pw->pw_name);
	else
		(void)snprintf(dst, cap, "%ld", (long)uid);
}

bool
holder_is_foreign(const struct branch *b, char *words, size_t cap)
{
	uint16_t port = probe_local_port(b->conf->health);
	char name[32], user[40];
	uid_t uid = (uid_t)-1;
	pid_t pid;

	if (port == 0)
		port = (uint16_t)b->conf->port.number;
	/* A container's port is held by the engine. */
	if (port == 0 || b->f.pid <= 0 || b->conf->container->name != NULL)
		return false;
	pid = os_port_holder(port, &uid);
	if (pid == 0 || (pid > 0 && is_own(pid, (pid_t)b->f.pid)))
		return false;
	if (pid > 0 && os_proc_name(pid, name, sizeof name, &uid) == 0) {
		put_user(user, sizeof user, uid);
		(void)snprintf(words, cap, "port %u is held by pid %ld (%s, "
		    "user %s), which is none of its own: stop that one",
		    port, (long)pid, name, user);
		return true;
	}
	/* Unnamed: our own are visible to us. */
	if (pid > 0 || uid == (uid_t)-1 || uid == geteuid())
		return false;
	put_user(user, sizeof user, uid);
	(void)snprintf(words, cap, "port %u is held by a process of user %s",
	    port, user);
	return true;
}
