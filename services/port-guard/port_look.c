/* SPDX-License-Identifier: ISC */
/*
 * Is a TCP port free, and if not, who holds it. It asks the system in two
 * ways: by binding (which also sees what belongs to other users) and by
 * os_port_holder (which also sees listeners on single addresses, and can
 * name them). It does not know what is to be done about a holder.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "os.h"
#include "port_look.h"

static bool
bind_fails(const struct sockaddr *sa, socklen_t len)
{
	bool taken = false;
	int fd, on = 1;

	/* No such family here: nobody can be in the way there. */
	if ((fd = socket(sa->sa_family, SOCK_STREAM, 0)) < 0)
		return false;
	(void)os_cloexec(fd);
	/* With it TIME_WAIT does not count, but a listener on the same address
	 * does; on macOS only on the same one, so each is tried. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (sa->sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof on);
	if (bind(fd, sa, len) < 0)
		taken = errno == EADDRINUSE;
	(void)close(fd);
	return taken;
}

bool
port_is_taken(uint16_t port)
{
	static const uint32_t v4[] = { INADDR_LOOPBACK, INADDR_ANY };
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(port) };
	size_t i;

	for (i = 0; i < nitems(v4); i++) {
		in.sin_addr.s_addr = htonl(v4[i]);
		if (bind_fails((const struct sockaddr *)&in, sizeof in))
			return true;
	}
	in6.sin6_addr = in6addr_loopback;
	if (bind_fails((const struct sockaddr *)&in6, sizeof in6))
		return true;
	in6.sin6_addr = in6addr_any;
	return bind_fails((const struct sockaddr *)&in6, sizeof in6);
}

static void
name_user(struct port_holder *h, uid_t uid)
{
	const struct passwd *pw;

	if (uid == (uid_t)-1)
		return;
	if ((pw = getpwuid(uid)) != NULL)
		(void)snprintf(h->user, sizeof h->user, "%s", pw->pw_name);
	else
		(void)snprintf(h->user, sizeof h->user, "%ld", (long)uid);
}

void
port_look(uint16_t port, struct port_holder *h)
{
	uid_t uid = (uid_t)-1;
	pid_t pid;

	*h = (struct port_holder){ .port = port };
	pid = os_port_holder(port, &uid);
	h->taken = pid != 0 || port_is_taken(port);
	if (!h->taken)
		return;
	if (pid > 0 && os_proc_name(pid, h->name, sizeof h->name, &uid) == 0) {
		h->pid = pid;
		(void)os_proc_start(pid, &h->start);
	}
	name_user(h, uid);
}

void
port_words(const struct port_holder *h, char *dst, size_t cap)
{
	if (h->pid > 0)
		(void)snprintf(dst, cap, "port %u is held by pid %ld (%s, "
		    "user %s)", (unsigned)h->port, (long)h->pid, h->name,
		    h->user);
	else if (h->user[0] != '\0')
		(void)snprintf(dst, cap, "port %u is held by an unknown "
		    "process of user %s", (unsigned)h->port, h->user);
	else
		(void)snprintf(dst, cap, "port %u is held by an unknown "
		    "process", (unsigned)h->port);
}
