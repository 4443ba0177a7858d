/* SPDX-License-Identifier: ISC */
/*
 * macOS: who is at the other end of a socket, and what is sent there.
 */
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/ucred.h>
#include <sys/un.h>

#include <errno.h>
#include <unistd.h>

#include "os.h"

ssize_t
os_send(int fd, const void *bytes, size_t n)
{
	static const int on = 1;

	/* No flag of send here; what is set once stays set. */
	(void)setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
	return send(fd, bytes, n, 0);
}

int
os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	struct xucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &cred, &len) < 0)
		return -1;
	if (cred.cr_version != XUCRED_VERSION || cred.cr_ngroups < 1) {
		errno = EINVAL;
		return -1;
	}
	*uid = cred.cr_uid;
	*gid = cred.cr_groups[0];
	len = sizeof *pid;
	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, pid, &len) < 0)
		*pid = 0;
	return 0;
}

bool
os_peer_in_group(int fd, gid_t gid)
{
	struct xucred cred;
	socklen_t len = sizeof cred;
	int i;

	if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERCRED, &cred, &len) < 0)
		return false;
	for (i = 0; i < cred.cr_ngroups && i < NGROUPS; i++)
		if (cred.cr_groups[i] == gid)
			return true;
	return false;
}

int
os_trim_files(int fd, int to)
{
	(void)to;
	return fd;
}
