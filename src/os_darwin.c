/* SPDX-License-Identifier: ISC */
/*
 * macOS: the wait (kqueue), clocks, boot identity, peers, space on disk.
 * What is asked of the process table lies in os_darwin_proc.c. Written
 * against XNU's sources and compiled in the tests by a cross compiler; what
 * rests on the kernel's behaviour alone says so where it stands.
 */
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/ucred.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

#define MAX_WAIT_MS	(3600 * 1000)
#define MAX_EVENTS	64

static int kq = -1;

int64_t
os_now_ms(void)
{
	return (int64_t)(clock_gettime_nsec_np(CLOCK_UPTIME_RAW) / 1000000);
}

int64_t
os_awake_ms(void)
{
	/* Unlike Linux's clock of that name this one counts sleep. */
	return (int64_t)(clock_gettime_nsec_np(CLOCK_MONOTONIC_RAW) / 1000000);
}

int
os_boot_id(char id[OS_BOOT_LEN])
{
	size_t len = OS_BOOT_LEN - 1;

	(void)memset(id, 0, OS_BOOT_LEN);
	if (sysctlbyname("kern.bootsessionuuid", id, &len, NULL, 0) < 0)
		return -1;
	return id[0] == '\0' ? -1 : 0;
}

int
os_open(void)
{
	if ((kq = kqueue()) < 0)
		return -1;
	return os_cloexec(kq);
}

static int
change(uintptr_t ident, int16_t filter, uint16_t flags, uint32_t fflags,
    uint32_t tag)
{
	struct kevent kev;

	EV_SET(&kev, ident, filter, flags, fflags, 0, (void *)(uintptr_t)tag);
	return kevent(kq, &kev, 1, NULL, 0, NULL);
}

/* A signal that already arrived as an event is also pending, as it is
 * blocked: taken off, so that only unseen ones are left for a successor. */
static void
take_pending(int signo)
{
	sigset_t set;
	int got;

	if (sigpending(&set) < 0 || sigismember(&set, signo) != 1)
		return;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, signo);
	(void)sigwait(&set, &got);
}

int
os_signals(const int *list)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set, pending;
	const int *s;

	(void)sigemptyset(&set);
	for (s = list; *s != 0; s++)
		(void)sigaddset(&set, *s);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return -1;
	/* The filter sees a signal before mask and disposition do (XNU
	 * kern_sig.c); only an ignored SIGCHLD would let children vanish. */
	for (s = list; *s != 0; s++)
		if (sigaction(*s, &sa, NULL) < 0 ||
		    change((uintptr_t)*s, EVFILT_SIGNAL, EV_ADD, 0, 0) < 0)
			return -1;
	/* What came between an exec and here made no event: raise it anew. */
	if (sigpending(&pending) == 0)
		for (s = list; *s != 0; s++)
			if (sigismember(&pending, *s) == 1)
				(void)kill(getpid(), *s);
	return 0;
}

static int
set_filter(int fd, int16_t filter, bool on, uint32_t tag)
{
	if (change((uintptr_t)fd, filter, on ? EV_ADD : EV_DELETE, 0,
	    tag) == 0)
		return 0;
	return !on && errno == ENOENT ? 0 : -1;
}

int
os_watch(int fd, unsigned what, uint32_t tag)
{
	if (set_filter(fd, EVFILT_READ, (what & OS_READ) != 0, tag) < 0)
		return -1;
	return set_filter(fd, EVFILT_WRITE, (what & OS_WRITE) != 0, tag);
}

int
os_watch_proc(pid_t pid, uint64_t start, uint32_t tag)
{
	uint64_t now;

	if (pid <= 1) {
		errno = ESRCH;
		return -1;
	}
	/* The status of one that is not our child is given to whoever may
	 * signal it; who may not (EACCES) still learns of the exit. */
	if (change((uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT,
	    NOTE_EXIT | NOTE_EXITSTATUS, tag) < 0 && (errno != EACCES ||
	    change((uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT,
	    NOTE_EXIT, tag) < 0))
		return -1;
	if (os_proc_start(pid, &now) < 0 || now != start) {
		os_unwatch_proc((int)pid);
		errno = ESRCH;
		return -1;
	}
	return (int)pid;
}

void
os_unwatch_proc(int handle)
{
	if (handle > 0)
		(void)change((uintptr_t)handle, EVFILT_PROC, EV_DELETE, 0, 0);
}

int
os_watch_dir(const char *path, uint32_t tag)
{
	int fd = open(path, O_EVTONLY | O_DIRECTORY | O_CLOEXEC), e;

	if (fd < 0)
		return -1;
	/* A change of its entries is a write to the directory. */
	if (change((uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR,
	    NOTE_WRITE | NOTE_DELETE | NOTE_RENAME | NOTE_REVOKE, tag) == 0)
		return fd;
	e = errno;
	(void)close(fd);
	errno = e;
	return -1;
}

/* Joins what the two filters of one descriptor say to one event, as its
 * owner may close it on the first. */
static bool
join(const struct kevent *raw, int i, unsigned what, struct os_event *ev,
    const int *from, int out)
{
	int k;

	for (k = 0; k < out; k++)
		if ((ev[k].what & (OS_READ | OS_WRITE)) != 0 &&
		    raw[from[k]].ident == raw[i].ident) {
			ev[k].what |= what;
			return true;
		}
	return false;
}

static unsigned
what_of(const struct kevent *kev)
{
	switch (kev->filter) {
	case EVFILT_READ:
	case EVFILT_VNODE:
		return OS_READ;
	case EVFILT_WRITE:
		return OS_WRITE;
	case EVFILT_PROC:
		return OS_EXIT;
	case EVFILT_SIGNAL:
		return OS_SIGNAL;
	default:
		return 0;
	}
}

static int
translate(const struct kevent *raw, int got, struct os_event *ev)
{
	int from[MAX_EVENTS], i, out = 0;
	unsigned what;

	for (i = 0; i < got; i++) {
		what = what_of(&raw[i]);
		if (what == 0 || ((what & (OS_READ | OS_WRITE)) != 0 &&
		    join(raw, i, what, ev, from, out)))
			continue;
		from[out] = i;
		ev[out] = (struct os_event){ .what = what, .status = -1,
		    .tag = (uint32_t)(uintptr_t)raw[i].udata };
		if (what == OS_EXIT && (raw[i].fflags & NOTE_EXITSTATUS) != 0)
			ev[out].status = (int)(raw[i].data & NOTE_PDATAMASK);
		if (what == OS_SIGNAL) {
			ev[out].signo = (int)raw[i].ident;
			take_pending(ev[out].signo);
		}
		out++;
	}
	return out;
}

int
os_wait(int64_t deadline_ms, struct os_event *ev, int n)
{
	struct kevent raw[MAX_EVENTS];
	struct timespec ts = { 0 };
	int64_t left = MAX_WAIT_MS;
	int got;

	if (deadline_ms >= 0) {
		left = deadline_ms - os_now_ms();
		if (left < 0)
			left = 0;
		if (left > MAX_WAIT_MS)
			left = MAX_WAIT_MS;
	}
	ts.tv_sec = (time_t)(left / 1000);
	ts.tv_nsec = (long)(left % 1000) * 1000000;
	if (n > MAX_EVENTS)
		n = MAX_EVENTS;
	got = kevent(kq, NULL, 0, raw, n, deadline_ms < 0 ? NULL : &ts);
	return got <= 0 ? 0 : translate(raw, got, ev);
}

int
os_kill(pid_t pid, uint64_t start, int handle, int signo)
{
	uint64_t now;

	(void)handle;
	/* No pidfd here: between look and kill lie microseconds. */
	if (pid <= 1 || os_proc_start(pid, &now) < 0 || now != start) {
		errno = ESRCH;
		return -1;
	}
	return kill(pid, signo);
}

void
os_subreaper(void)
{
	/* macOS has none: orphans go to launchd; the groups are cleared. */
}

static int
write_zeros(int fd, off_t from, off_t size)
{
	static const char zeros[4096];
	off_t left;
	ssize_t n;

	while (from < size) {
		left = size - from;
		n = pwrite(fd, zeros, left < (off_t)sizeof zeros ?
		    (size_t)left : sizeof zeros, from);
		if (n <= 0)
			return -1;
		from += n;
	}
	return 0;
}

int
os_preallocate(int fd, off_t size)
{
	fstore_t want = { .fst_flags = F_ALLOCATEALL,
	    .fst_posmode = F_PEOFPOSMODE };
	struct stat sb;

	if (fstat(fd, &sb) < 0)
		return -1;
	if (sb.st_size >= size)
		return 0;
	want.fst_length = size - sb.st_size;
	if (fcntl(fd, F_PREALLOCATE, &want) == 0)
		return ftruncate(fd, size);
	/* A file system that cannot set blocks aside can still be written. */
	return errno == ENOTSUP ? write_zeros(fd, sb.st_size, size) : -1;
}

void
os_close_from(int lowest)
{
	long max = sysconf(_SC_OPEN_MAX);
	int fd;

	/* A raised limit must not make this slow: what a parent leaks lies
	 * low. */
	if (max < 0 || max > 65536)
		max = 65536;
	for (fd = lowest; fd < (int)max; fd++)
		(void)close(fd);
}

void
os_widen(int fifo)
{
	(void)fifo;
}

uint32_t
os_dice(void)
{
	return arc4random();
}
