/* SPDX-License-Identifier: ISC */
/*
 * The sockets that a service gets opened (sd_listen_fds(3)). The supervisor
 * holds them as long as the service is wanted and has not tripped, so that a
 * restart refuses no connection: what comes meanwhile waits in the backlog.
 * Which of the descriptors is for which address, a socket says itself; so a
 * reload, an upgrade or an adoption needs no other record.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <netinet/in.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"

#define LOOK_FDS	64	/* of an adopted process, from 3 on */

static bool
is_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_port == b4->sin_port &&
		    a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	if (a->ss_family == AF_INET6)
		return a6->sin6_port == b6->sin6_port &&
		    memcmp(&a6->sin6_addr, &b6->sin6_addr,
		    sizeof a6->sin6_addr) == 0;
	return strcmp(((const struct sockaddr_un *)a)->sun_path,
	    ((const struct sockaddr_un *)b)->sun_path) == 0;
}

/* Is fd the socket that listens on this address? */
static bool
is_bound_to(int fd, const char *address)
{
	struct sockaddr_storage want, have;
	socklen_t len = sizeof have, small = sizeof(int);
	int listens = 0;

	memset(&have, 0, sizeof have);
	if (fd < 0 || conf_address(address, &want) == 0 ||
	    getsockname(fd, (struct sockaddr *)&have, &len) < 0 ||
	    !is_same(&want, &have))
		return false;
	/* One whose name a cleaner took away is of no use. */
	if (address[0] == '/' && access(address, F_OK) < 0)
		return false;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens,
	    &small) == 0 && listens;
}

/* A socket file that nobody listens on is left over. */
static int
clear_path(const struct sockaddr_storage *sa, socklen_t len)
{
	const char *path = ((const struct sockaddr_un *)sa)->sun_path;
	struct stat st;
	int fd, error;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return 0;
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0)
		return -1;
	(void)os_cloexec(fd);
	(void)os_nonblock(fd);
	error = connect(fd, (const struct sockaddr *)sa, len) < 0 ? errno : 0;
	(void)close(fd);
	if (error == ECONNREFUSED)
		return unlink(path);
	errno = EADDRINUSE;
	return -1;
}

/* A path belongs to the service's user, with the mode of [sockets]. */
static int
bind_path(const struct service *sv, int fd, const struct sockaddr_storage *sa,
    socklen_t len)
{
	const char *path = ((const struct sockaddr_un *)sa)->sun_path;
	char err[CONF_ERR_LEN];
	struct conf_user u;
	mode_t before;
	int bad;

	if (clear_path(sa, len) < 0)
		return -1;
	before = umask(0177);
	bad = bind(fd, (const struct sockaddr *)sa, len);
	(void)umask(before);
	if (bad < 0)
		return -1;
	if (conf_user(sv->conf, &u, err) == 0 && (u.uid >= 0 || u.gid >= 0))
		(void)!lchown(path, (uid_t)u.uid, (gid_t)u.gid);
	return chmod(path, (mode_t)sv->conf->sockets.mode);
}

static int
listen_at(const struct service *sv, const char *address)
{
	static const int on = 1;
	struct sockaddr_storage sa;
	socklen_t len = conf_address(address, &sa);
	int fd, bad, error;

	if ((fd = socket(sa.ss_family, SOCK_STREAM, 0)) < 0)
		return -1;
	bad = os_cloexec(fd);
	if (sa.ss_family != AF_UNIX)
		bad |= setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
		    sizeof on);
	if (sa.ss_family == AF_INET6)	/* alike on every system */
		bad |= setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
		    sizeof on);
	if (bad == 0)
		bad = sa.ss_family == AF_UNIX ? bind_path(sv, fd, &sa, len) :
		    bind(fd, (struct sockaddr *)&sa, len);
	if (bad == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

/* The address, and who is in the way. errno is kept. */
static void
tell_trouble(const char *address, char *err, size_t cap)
{
	const char *colon = strrchr(address, ':');
	int error = errno, port = 0;
	char name[32];
	pid_t pid;

	(void)snprintf(err, cap, "listen on %s", address);
	if (error == EADDRINUSE && colon != NULL &&
	    sscanf(colon, ":%d", &port) == 1) {
		pid = os_port_holder((uint16_t)port, NULL);
		if (pid > 0 && os_proc_name(pid, name, sizeof name, NULL) == 0)
			(void)snprintf(err, cap, "listen on %s (%s, pid %d, "
			    "does)", address, name, (int)pid);
	}
	errno = error;
}

/* Takes the descriptor for this address out of what was held. */
static int
take_held(int *held, const char *address)
{
	int i, fd;

	for (i = 0; i < CONF_SOCKETS_MAX; i++)
		if (is_bound_to(held[i], address)) {
			fd = held[i];
			held[i] = -1;
			return fd;
		}
	return -1;
}

int
service_sockets_open(struct service *sv, char *err, size_t cap)
{
	const struct conf_sockets *want = &sv->conf->sockets;
	int held[CONF_SOCKETS_MAX], i, rc = 0, error = 0;

	memcpy(held, sv->sock, sizeof held);
	for (i = 0; i < CONF_SOCKETS_MAX; i++)
		sv->sock[i] = i < want->n ?
		    take_held(held, want->v[i].address) : -1;
	for (i = 0; i < CONF_SOCKETS_MAX; i++)
		if (held[i] >= 0)
			(void)close(held[i]);
	for (i = 0; i < want->n && rc == 0; i++) {
		if (sv->sock[i] < 0)
			sv->sock[i] = listen_at(sv, want->v[i].address);
		if (sv->sock[i] < 0) {
			tell_trouble(want->v[i].address, err, cap);
			error = errno;
			rc = -1;
		}
	}
	errno = error;
	return rc;
}

void
service_sockets_close(struct service *sv)
{
	const struct conf_sockets *want = &sv->conf->sockets;
	int i, k;

	for (i = 0; i < CONF_SOCKETS_MAX; i++) {
		if (sv->sock[i] < 0)
			continue;
		for (k = 0; k < want->n; k++)
			if (want->v[k].address[0] == '/' &&
			    is_bound_to(sv->sock[i], want->v[k].address))
				(void)unlink(want->v[k].address);
		(void)close(sv->sock[i]);
		sv->sock[i] = -1;
	}
}

/* Some systems give away a copy of another process's descriptor. */
void
service_sockets_adopt(struct service *sv)
{
	const struct conf_sockets *want = &sv->conf->sockets;
	int i, n, fd, missing = 0;

	for (i = 0; i < want->n; i++) {
		if (is_bound_to(sv->sock[i], want->v[i].address))
			continue;
		for (n = 3; n < LOOK_FDS && sv->sock[i] < 0; n++) {
			fd = os_fd_of(sv->rec.pid, sv->rec.start, n);
			if (is_bound_to(fd, want->v[i].address))
				sv->sock[i] = fd;
			else if (fd >= 0)
				(void)close(fd);
		}
		missing += sv->sock[i] < 0;
	}
	if (missing > 0)
		log_info("%s: %d of its sockets cannot be held: its next "
		    "restart opens them anew", sv->conf->name, missing);
}
