/* SPDX-License-Identifier: ISC */
/*
 * Linux: what /proc says of processes, process groups, locks and ports.
 */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os.h"
#include "os_linux_family.h"

struct stat_line {		/* proc(5), /proc/PID/stat */
	char		 name[32];
	char		 state;
	long		 ppid, pgrp, session;
	unsigned long	 utime, stime;
	unsigned long long start;
	long		 rss_pages;
};

static ssize_t
read_file(const char *path, char *dst, size_t cap)
{
	ssize_t n;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	n = read(fd, dst, cap - 1);
	(void)close(fd);
	if (n >= 0)
		dst[n] = '\0';
	return n;
}

static int
read_stat(pid_t pid, struct stat_line *st)
{
	char path[40], text[1024], *open_paren, *close_paren;

	(void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (read_file(path, text, sizeof text) <= 0)
		return -1;
	/* The name may hold anything, a ')' included: the last one counts. */
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (open_paren == NULL || close_paren == NULL)
		return -1;
	*close_paren = '\0';
	(void)snprintf(st->name, sizeof st->name, "%.31s", open_paren + 1);
	if (sscanf(close_paren + 2, "%c %ld %ld %ld %*d %*d %*u %*u %*u %*u"
	    " %*u %lu %lu %*d %*d %*d %*d %*d %*d %llu %*u %ld", &st->state,
	    &st->ppid, &st->pgrp, &st->session, &st->utime, &st->stime,
	    &st->start, &st->rss_pages) != 8)
		return -1;
	return 0;
}

static bool
is_dead(const struct stat_line *st)
{
	return st->state == 'Z' || st->state == 'X';
}

int
os_proc_start(pid_t pid, uint64_t *start)
{
	struct stat_line st;

	if (pid <= 0 || read_stat(pid, &st) < 0 || is_dead(&st)) {
		errno = ESRCH;
		return -1;
	}
	*start = st.start == 0 ? 1 : st.start;
	return 0;
}

/* The kernel notes CLOCK_BOOTTIME in fork and shows it in units of USER_HZ,
 * which is 100 for programs everywhere: when before and after fall into the
 * same hundredth, that is it. */
#define TICK_NS	10000000

int64_t
os_start_clock(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int
os_child_start(pid_t pid, int64_t before, uint64_t *start)
{
	int64_t tick = before / TICK_NS;

	if (tick != os_start_clock() / TICK_NS)
		return os_proc_start(pid, start);
	*start = tick == 0 ? 1 : (uint64_t)tick;
	return 0;
}

int
os_proc_name(pid_t pid, char *name, size_t cap, uid_t *uid)
{
	struct stat_line st;
	struct stat sb;
	char path[40];

	(void)snprintf(path, sizeof path, "/proc/%d", (int)pid);
	if (pid <= 0 || stat(path, &sb) < 0 || read_stat(pid, &st) < 0)
		return -1;
	(void)snprintf(name, cap, "%s", st.name);
	if (uid != NULL)
		*uid = sb.st_uid;
	return 0;
}

/* Calls see for every process (of the group, when pgid is not 0) until it
 * returns true; that pid, or 0. Asking for the group is cheap, reading the
 * stat of a thousand strangers is not. */
static pid_t
each_process(pid_t pgid,
    bool (*see)(pid_t, const struct stat_line *, void *), void *arg)
{
	struct stat_line st;
	struct dirent *de;
	pid_t pid, found = 0;
	DIR *d;

	if ((d = opendir("/proc")) == NULL)
		return 0;
	while (found == 0 && (de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		pid = (pid_t)atol(de->d_name);
		if (pgid != 0 && getpgid(pid) != pgid)
			continue;
		if (read_stat(pid, &st) == 0 && see(pid, &st, arg))
			found = pid;
	}
	(void)closedir(d);
	return found;
}

struct group {
	pid_t	 pgid, skip;
	uint64_t rss_pages, ticks;
};

static bool
is_member(pid_t pid, const struct stat_line *st, void *arg)
{
	const struct group *g = arg;

	return st->pgrp == g->pgid && pid != g->skip && !is_dead(st);
}

pid_t
os_group_member(pid_t pgid, pid_t skip)
{
	struct group g = { .pgid = pgid, .skip = skip };

	return each_process(pgid, is_member, &g);
}

static bool
add_usage(pid_t pid, const struct stat_line *st, void *arg)
{
	struct group *g = arg;

	if (is_member(pid, st, g)) {
		g->rss_pages += (uint64_t)st->rss_pages;
		g->ticks += st->utime + st->stime;
	}
	return false;
}

int
os_group_usage(pid_t pgid, uint64_t *rss, uint64_t *cpu_ms)
{
	struct group g = { .pgid = pgid };
	struct stat_line st;
	pid_t member[256];
	int i, n = -1;

	if (read_stat(pgid, &st) == 0)
		n = family_of_group(pgid, (pid_t)st.ppid, member,
		    (int)(sizeof member / sizeof *member));
	for (i = 0; i < n; i++)
		if (read_stat(member[i], &st) == 0)
			(void)add_usage(member[i], &st, &g);
	if (n < 0)
		(void)each_process(pgid, add_usage, &g);
	*rss = g.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	*cpu_ms = g.ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
	return 0;
}

static bool
has_at_zero(pid_t pid, const struct stat_line *st, void *arg)
{
	const struct stat *lock = arg;
	struct stat sb;
	char path[40];

	(void)snprintf(path, sizeof path, "/proc/%d/fd/0", (int)pid);
	return !is_dead(st) && stat(path, &sb) == 0 &&
	    sb.st_ino == lock->st_ino && sb.st_dev == lock->st_dev;
}

/* proc(5), /proc/locks: "1: FLOCK ADVISORY WRITE PID MAJ:MIN:INODE 0 EOF",
 * where PID took the lock; 0 when it is not listed. */
static pid_t
lock_taker(const struct stat *sb)
{
	char line[256], kind[16];
	unsigned major_no, minor_no;
	unsigned long ino;
	pid_t taker = 0;
	int pid;
	FILE *f;

	if ((f = fopen("/proc/locks", "re")) == NULL)
		return 0;
	while (taker == 0 && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*d: %15s %*s %*s %d %x:%x:%lu", kind, &pid,
		    &major_no, &minor_no, &ino) == 5 &&
		    strcmp(kind, "FLOCK") == 0 && ino == sb->st_ino &&
		    major_no == major(sb->st_dev) &&
		    minor_no == minor(sb->st_dev))
			taker = (pid_t)pid;
	(void)fclose(f);
	return taker;
}

pid_t
os_lock_holder(int fd, const char *path)
{
	uint64_t start;
	struct stat sb;
	pid_t taker;

	(void)path;
	if (fstat(fd, &sb) < 0)
		return 0;
	taker = lock_taker(&sb);
	if (taker > 0 && os_proc_start(taker, &start) == 0)
		return taker;
	/* It is gone (a container does not even list it then), but a child of
	 * it still has the descriptor. */
	return each_process(0, has_at_zero, &sb);
}

/* The inode of a socket that listens on the port: proc_net_tcp. */
static unsigned long
listening_inode(const char *table, uint16_t port, uid_t *uid)
{
	unsigned long ino, found = 0;
	unsigned local_port, state, owner;
	char line[512];
	FILE *f;

	if ((f = fopen(table, "re")) == NULL)
		return 0;
	while (found == 0 && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x"
		    " %*s %*s %*s %u %*u %lu", &local_port, &state, &owner,
		    &ino) == 4 && state == 0x0A && local_port == port) {
			found = ino;
			if (uid != NULL)
				*uid = (uid_t)owner;
		}
	(void)fclose(f);
	return found;
}

static bool
holds_socket(pid_t pid, const struct stat_line *st, void *arg)
{
	const char *wanted = arg;
	char path[64], link[64];
	struct dirent *de;
	bool found = false;
	ssize_t n;
	DIR *d;

	(void)st;
	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if ((d = opendir(path)) == NULL)
		return false;
	while (!found && (de = readdir(d)) != NULL) {
		n = readlinkat(dirfd(d), de->d_name, link, sizeof link - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	(void)closedir(d);
	return found;
}

pid_t
os_port_holder(uint16_t port, uid_t *uid)
{
	char wanted[40];
	unsigned long ino;
	pid_t pid;

	ino = listening_inode("/proc/net/tcp", port, uid);
	if (ino == 0)
		ino = listening_inode("/proc/net/tcp6", port, uid);
	if (ino == 0)
		return 0;
	(void)snprintf(wanted, sizeof wanted, "socket:[%lu]", ino);
	pid = each_process(0, holds_socket, wanted);
	return pid == 0 ? -1 : pid;
}
