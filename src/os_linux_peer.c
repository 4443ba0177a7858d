/* SPDX-License-Identifier: ISC */
/*
 * Linux: who is at the other end of a socket, and what is sent there.
 */
#include <sys/socket.h>

#include <unistd.h>

#include "os.h"

ssize_t
os_send(int fd, const void *bytes, size_t n)
{
	return send(fd, bytes, n, MSG_NOSIGNAL);
}

int
os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -1;
	*uid = cred.uid;
	*gid = cred.gid;
	*pid = cred.pid;
	return 0;
}

bool
os_peer_in_group(int fd, gid_t gid)
{
	struct ucred cred;
	gid_t groups[256];
	socklen_t len = sizeof cred;
	size_t i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == 0 &&
	    cred.gid == gid)
		return true;
	len = sizeof groups;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) < 0)
		return false;
	for (i = 0; i < len / sizeof groups[0]; i++)
		if (groups[i] == gid)
			return true;
	return false;
}
