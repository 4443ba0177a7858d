/* SPDX-License-Identifier: ISC */
/*
 * macOS: what libproc says of processes, process groups, locks and ports.
 * Of another user's process root alone sees start time, usage and files;
 * name, user and group are open to all.
 */
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <ifaddrs.h>
#include <libproc.h>
#include <mach/mach_time.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os.h"

#define MAX_PIDS	16384
#define MAX_FDS		4096
#define CONNECT_MS	100	/* to an address of this machine */

/* ps(1)'s way, open to all: the same start time as libproc's. */
static int
start_by_sysctl(pid_t pid, uint64_t *start)
{
	int name[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid };
	struct kinfo_proc kp;
	size_t len = sizeof kp;

	if (sysctl(name, 4, &kp, &len, NULL, 0) < 0 || len != sizeof kp ||
	    kp.kp_proc.p_stat == SZOMB)
		return -1;
	*start = (uint64_t)kp.kp_proc.p_starttime.tv_sec * 1000000 +
	    (uint64_t)kp.kp_proc.p_starttime.tv_usec;
	return 0;
}

int
os_proc_start(pid_t pid, uint64_t *start)
{
	struct proc_bsdinfo info;
	int n;

	/* arg 0: a zombie is not found. One about to be counts as well. */
	n = pid <= 0 ? 0 : proc_pidinfo((int)pid, PROC_PIDTBSDINFO, 0, &info,
	    (int)sizeof info);
	if (n == (int)sizeof info && info.pbi_status != SZOMB)
		*start = info.pbi_start_tvsec * 1000000 +
		    info.pbi_start_tvusec;
	else if (pid <= 0 || n == (int)sizeof info || errno != EPERM ||
	    start_by_sysctl(pid, start) < 0) {
		errno = ESRCH;
		return -1;
	}
	if (*start == 0)
		*start = 1;
	return 0;
}

static int
read_short(pid_t pid, struct proc_bsdshortinfo *info)
{
	if (pid <= 0 || proc_pidinfo((int)pid, PROC_PIDT_SHORTBSDINFO, 0,
	    info, (int)sizeof *info) != (int)sizeof *info)
		return -1;
	return info->pbsi_status == SZOMB ? -1 : 0;
}

int64_t
os_start_clock(void)
{
	return 0;
}

int
os_child_start(pid_t pid, int64_t before, uint64_t *start)
{
	(void)before;
	return os_proc_start(pid, start);
}

int
os_proc_name(pid_t pid, char *name, size_t cap, uid_t *uid)
{
	struct proc_bsdshortinfo info;

	if (read_short(pid, &info) < 0)
		return -1;
	(void)snprintf(name, cap, "%.*s", (int)sizeof info.pbsi_comm,
	    info.pbsi_comm);
	if (uid != NULL)
		*uid = info.pbsi_uid;
	return 0;
}

typedef bool see_process(pid_t pid, void *arg);

/* Calls see for every process of the list until it returns true; that pid,
 * or 0. The lists lie still here: nothing calls this from within see. */
static pid_t
each_process(uint32_t type, uint32_t of, see_process *see, void *arg)
{
	static pid_t pids[MAX_PIDS];
	int i, n;

	n = proc_listpids(type, of, pids, (int)sizeof pids) /
	    (int)sizeof pids[0];
	for (i = 0; i < n; i++)
		if (pids[i] > 0 && see(pids[i], arg))
			return pids[i];
	return 0;
}

struct group {
	pid_t	 pgid, skip;
	uint64_t rss, ticks;
};

static bool
is_member(pid_t pid, void *arg)
{
	const struct group *g = arg;
	struct proc_bsdshortinfo info;

	return pid != g->skip && read_short(pid, &info) == 0 &&
	    (pid_t)info.pbsi_pgid == g->pgid;
}

pid_t
os_group_member(pid_t pgid, pid_t skip)
{
	struct group g = { .pgid = pgid, .skip = skip };

	return each_process(PROC_PGRP_ONLY, (uint32_t)pgid, is_member, &g);
}

static bool
add_usage(pid_t pid, void *arg)
{
	struct proc_taskinfo info;
	struct group *g = arg;

	if (proc_pidinfo((int)pid, PROC_PIDTASKINFO, 0, &info,
	    (int)sizeof info) == (int)sizeof info) {
		g->rss += info.pti_resident_size;
		g->ticks += info.pti_total_user + info.pti_total_system;
	}
	return false;
}

int
os_group_usage(pid_t pgid, uint64_t *rss, uint64_t *cpu_ms)
{
	struct group g = { .pgid = pgid };
	mach_timebase_info_data_t base;

	(void)each_process(PROC_PGRP_ONLY, (uint32_t)pgid, add_usage, &g);
	*rss = g.rss;
	*cpu_ms = 0;
	/* Ticks are 1 ns on Intel, 125/3 ns on Apple silicon. */
	if (mach_timebase_info(&base) == 0 && base.denom != 0)
		*cpu_ms = g.ticks / 1000 * base.numer / base.denom / 1000;
	return 0;
}

struct lock {
	struct stat sb;
	pid_t	 any;		/* has it as descriptor 0 */
};

static bool
leads_with_lock(pid_t pid, void *arg)
{
	struct proc_bsdshortinfo info;
	struct vnode_fdinfo v;
	struct lock *l = arg;

	if (pid == getpid() || proc_pidfdinfo((int)pid, 0,
	    PROC_PIDFDVNODEINFO, &v, (int)sizeof v) != (int)sizeof v ||
	    v.pvi.vi_stat.vst_dev != (uint32_t)l->sb.st_dev ||
	    v.pvi.vi_stat.vst_ino != l->sb.st_ino ||
	    read_short(pid, &info) < 0)
		return false;
	if (l->any == 0)
		l->any = pid;
	return (pid_t)info.pbsi_pgid == pid;
}

/* macOS does not say who took a flock; a service holds its lock as descriptor
 * 0, and of those that do, the leader of its group is the service. */
pid_t
os_lock_holder(int fd, const char *path)
{
	struct lock l = { .any = 0 };
	pid_t pid;

	(void)path;
	if (fstat(fd, &l.sb) < 0)
		return 0;
	pid = each_process(PROC_ALL_PIDS, 0, leads_with_lock, &l);
	return pid != 0 ? pid : l.any;
}

static bool
listens(pid_t pid, void *arg)
{
	static struct proc_fdinfo fds[MAX_FDS];
	const struct socket_info *so;
	const uint16_t *port = arg;
	struct socket_fdinfo s;
	int i, n;

	n = proc_pidinfo((int)pid, PROC_PIDLISTFDS, 0, fds, (int)sizeof fds) /
	    (int)sizeof fds[0];
	for (i = 0; i < n; i++) {
		if (fds[i].proc_fdtype != PROX_FDTYPE_SOCKET ||
		    proc_pidfdinfo((int)pid, fds[i].proc_fd,
		    PROC_PIDFDSOCKETINFO, &s, (int)sizeof s) != (int)sizeof s)
			continue;
		so = &s.psi;
		if (so->soi_kind == SOCKINFO_TCP &&
		    so->soi_proto.pri_tcp.tcpsi_state == TSI_S_LISTEN &&
		    ntohs((uint16_t)so->soi_proto.pri_tcp.tcpsi_ini.insi_lport)
		    == *port)
			return true;
	}
	return false;
}

static bool
answers(const struct sockaddr *sa, socklen_t len)
{
	struct pollfd p = { .events = POLLOUT };
	socklen_t elen = sizeof(int);
	bool yes = false;
	int e = 0;

	if ((p.fd = socket(sa->sa_family, SOCK_STREAM, 0)) < 0)
		return false;
	if (os_cloexec(p.fd) == 0 && os_nonblock(p.fd) == 0)
		yes = connect(p.fd, sa, len) == 0 || (errno == EINPROGRESS &&
		    poll(&p, 1, CONNECT_MS) == 1 && getsockopt(p.fd,
		    SOL_SOCKET, SO_ERROR, &e, &elen) == 0 && e == 0);
	(void)close(p.fd);
	return yes;
}

static bool
answers_on(const struct sockaddr *local, uint16_t port)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in;

	if (local != NULL && local->sa_family == AF_INET) {
		(void)memcpy(&in, local, sizeof in);
		in.sin_port = htons(port);
		return answers((const struct sockaddr *)&in, sizeof in);
	}
	if (local != NULL && local->sa_family == AF_INET6) {
		(void)memcpy(&in6, local, sizeof in6);
		in6.sin6_port = htons(port);
		return answers((const struct sockaddr *)&in6, sizeof in6);
	}
	return false;
}

/* A listener whose files we may not see gives itself away by its answer. */
static bool
somebody_answers(uint16_t port)
{
	struct ifaddrs *all, *a;
	bool yes = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (a = all; a != NULL && !yes; a = a->ifa_next)
		yes = answers_on(a->ifa_addr, port);
	freeifaddrs(all);
	return yes;
}

pid_t
os_port_holder(uint16_t port, uid_t *uid)
{
	char name[MAXCOMLEN + 1];
	pid_t pid;

	pid = each_process(PROC_ALL_PIDS, 0, listens, &port);
	if (pid == 0)
		return somebody_answers(port) ? -1 : 0;
	if (uid != NULL && os_proc_name(pid, name, sizeof name, uid) < 0)
		return 0;
	return pid;
}

/* macOS kills by its own order (jetsam), which no process may change. */
int
os_oom_score(int adj)
{
	(void)adj;
	return 0;
}

int
os_fd_of(pid_t pid, uint64_t start, int fd)
{
	(void)pid;
	(void)start;
	(void)fd;
	errno = ENOSYS;
	return -1;
}
