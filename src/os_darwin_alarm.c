/* SPDX-License-Identifier: ISC */
/*
 * macOS: an alarm on the clock that counts sleep. A kqueue of its own with
 * one timer; a kqueue can be waited for like a descriptor that is read. The
 * kernel keeps such timers on mach_continuous_time (XNU kern_event.c).
 */
#include <sys/event.h>

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "os.h"

int
os_alarm(void)
{
	int fd = kqueue();

	if (fd >= 0)
		(void)os_cloexec(fd);
	return fd;
}

int
os_alarm_at(int fd, int64_t awake_ms)
{
	static const struct timespec now = { 0, 0 };
	struct kevent kev;
	int64_t left = awake_ms - os_awake_ms();

	/* One that rang is taken off, so that it rings no more. */
	(void)kevent(fd, NULL, 0, &kev, 1, &now);
	EV_SET(&kev, 1, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
	if (kevent(fd, &kev, 1, NULL, 0, NULL) < 0 && errno != ENOENT)
		return -1;
	if (awake_ms < 0)
		return 0;
	EV_SET(&kev, 1, EVFILT_TIMER, EV_ADD | EV_ONESHOT,
	    NOTE_MACH_CONTINUOUS_TIME, left > 0 ? (intptr_t)left : 0, NULL);
	return kevent(fd, &kev, 1, NULL, 0, NULL);
}
