/* SPDX-License-Identifier: ISC */
/*
 * Linux: the wait (epoll, signalfd, pidfd), clocks, boot identity, peers.
 * What is read from the process table lies in os_linux_proc.c.
 */
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

/* An epoll datum: what the descriptor is, for OS_EXIT the pidfd, the tag. */
enum source { SRC_FD, SRC_PROC, SRC_SIGNAL, SRC_DIR };
#define DATUM(src, fd, tag) \
	((uint64_t)(src) << 62 | (uint64_t)(fd) << 32 | (tag))
#define DATUM_SRC(d)	((enum source)((d) >> 62))
#define DATUM_FD(d)	((int)((d) >> 32 & 0x3fffffff))
#define DATUM_TAG(d)	((uint32_t)(d))

static int epfd = -1;
static int sigfd = -1;

static int64_t
clock_ms(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
os_now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

int64_t
os_awake_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

int
os_boot_id(char id[OS_BOOT_LEN])
{
	ssize_t n;
	int fd;

	fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, id, OS_BOOT_LEN - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	id[n] = '\0';
	id[strcspn(id, "\n")] = '\0';
	return 0;
}

int
os_open(void)
{
	epfd = epoll_create1(EPOLL_CLOEXEC);
	return epfd < 0 ? -1 : 0;
}

static int
control(int op, int fd, unsigned what, uint64_t datum)
{
	struct epoll_event ev = { .data.u64 = datum };

	if (what & (OS_READ | OS_EXIT | OS_SIGNAL))
		ev.events |= EPOLLIN;
	if (what & OS_WRITE)
		ev.events |= EPOLLOUT;
	return epoll_ctl(epfd, op, fd, &ev);
}

int
os_signals(const int *list)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (; *list != 0; list++)
		(void)sigaddset(&set, *list);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -1;
	sigfd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (sigfd < 0)
		return -1;
	return control(EPOLL_CTL_ADD, sigfd, OS_SIGNAL,
	    DATUM(SRC_SIGNAL, 0, 0));
}

int
os_watch(int fd, unsigned what, uint32_t tag)
{
	uint64_t datum = DATUM(SRC_FD, fd, tag);

	if (what == 0)
		return control(EPOLL_CTL_DEL, fd, 0, 0);
	if (control(EPOLL_CTL_ADD, fd, what, datum) == 0)
		return 0;
	if (errno != EEXIST)
		return -1;
	return control(EPOLL_CTL_MOD, fd, what, datum);
}

int
os_watch_proc(pid_t pid, uint64_t start, uint32_t tag)
{
	uint64_t now;
	int fd, e;

	/* First the handle, then the look: from here on the pid is pinned. */
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -1;
	if (os_proc_start(pid, &now) < 0 || now != start) {
		(void)close(fd);
		errno = ESRCH;
		return -1;
	}
	if (control(EPOLL_CTL_ADD, fd, OS_EXIT, DATUM(SRC_PROC, fd, tag)) < 0) {
		e = errno;
		(void)close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

void
os_unwatch_proc(int handle)
{
	if (handle >= 0)
		(void)close(handle);	/* leaves epoll by itself */
}

int
os_watch_dir(const char *path, uint32_t tag)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), e;

	if (fd < 0)
		return -1;
	if (inotify_add_watch(fd, path, IN_ONLYDIR | IN_DELETE |
	    IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF) >= 0 &&
	    control(EPOLL_CTL_ADD, fd, OS_READ, DATUM(SRC_DIR, fd, tag)) == 0)
		return fd;
	e = errno;
	(void)close(fd);
	errno = e;
	return -1;
}

/* struct pidfd_info of <linux/pidfd.h> (Linux 6.13; exit status since 6.15),
 * spelled out because older headers lack it. */
struct pidfd_info_v0 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ids[8];
	int32_t	 exit_code;
};
#define PIDFD_INFO_EXIT_V0	(1u << 3)
#define PIDFD_GET_INFO_V0	_IOWR(0xFF, 11, struct pidfd_info_v0)

static int
exit_status(int pidfd)
{
	struct pidfd_info_v0 info = { .mask = PIDFD_INFO_EXIT_V0 };
	int tries;

	/* Filled when the parent has reaped, which is about now. */
	for (tries = 0; tries < 3; tries++) {
		info.mask = PIDFD_INFO_EXIT_V0;
		if (ioctl(pidfd, PIDFD_GET_INFO_V0, &info) == 0 &&
		    (info.mask & PIDFD_INFO_EXIT_V0) != 0)
			return info.exit_code;
		(void)usleep(500);
	}
	return -1;
}

static void
drain(int fd)
{
	char bytes[4096];

	while (read(fd, bytes, sizeof bytes) > 0)
		continue;
}

static int
next_signal(void)
{
	struct signalfd_siginfo si;

	if (read(sigfd, &si, sizeof si) != (ssize_t)sizeof si)
		return 0;
	return (int)si.ssi_signo;
}

static bool
translate(const struct epoll_event *in, struct os_event *out)
{
	uint64_t d = in->data.u64;

	*out = (struct os_event){ .tag = DATUM_TAG(d), .status = -1 };
	switch (DATUM_SRC(d)) {
	case SRC_PROC:
		out->what = OS_EXIT;
		out->status = exit_status(DATUM_FD(d));
		(void)epoll_ctl(epfd, EPOLL_CTL_DEL, DATUM_FD(d), NULL);
		return true;
	case SRC_SIGNAL:
		out->what = OS_SIGNAL;
		out->signo = next_signal();
		return out->signo != 0;
	case SRC_DIR:
		out->what = OS_READ;
		drain(DATUM_FD(d));
		return true;
	case SRC_FD:
	default:
		if (in->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			out->what |= OS_READ;
		if (in->events & (EPOLLOUT | EPOLLERR))
			out->what |= OS_WRITE;
		return true;
	}
}

int
os_wait(int64_t deadline_ms, struct os_event *ev, int n)
{
	struct epoll_event raw[64];
	int64_t left = -1;
	int i, got, out = 0;

	if (deadline_ms >= 0) {
		left = deadline_ms - os_now_ms();
		if (left < 0)
			left = 0;
		if (left > 3600 * 1000)
			left = 3600 * 1000;
	}
	if (n > 64)
		n = 64;
	got = epoll_wait(epfd, raw, n, (int)left);
	for (i = 0; i < got; i++)
		if (translate(&raw[i], &ev[out]))
			out++;
	return out;
}

int
os_kill(pid_t pid, uint64_t start, int handle, int signo)
{
	uint64_t now;

	if (pid <= 1) {
		errno = ESRCH;
		return -1;
	}
	if (handle >= 0)
		return (int)syscall(SYS_pidfd_send_signal, handle, signo,
		    NULL, 0);
	if (os_proc_start(pid, &now) < 0 || now != start) {
		errno = ESRCH;
		return -1;
	}
	return kill(pid, signo);
}

void
os_subreaper(void)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

int
os_preallocate(int fd, off_t size)
{
	int e = posix_fallocate(fd, 0, size);

	if (e != 0) {
		errno = e;
		return -1;
	}
	return 0;
}

void
os_close_from(int lowest)
{
	int fd;

	if (syscall(SYS_close_range, (unsigned)lowest, ~0u, 0) == 0)
		return;
	/* Before Linux 5.9. */
	for (fd = lowest; fd < 65536; fd++)
		(void)close(fd);
}

void
os_widen(int fifo)
{
	(void)fcntl(fifo, F_SETPIPE_SZ, 1 << 20);
}

/* libbsd's arc4random would bring a cipher along. */
uint32_t
os_dice(void)
{
	uint32_t n;

	if (getrandom(&n, sizeof n, GRND_NONBLOCK) != (ssize_t)sizeof n)
		n = (uint32_t)os_wall_us();
	return n;
}
