/* SPDX-License-Identifier: ISC */
/*
 * Linux: an alarm on the clock that counts sleep, a timerfd. One whose time
 * came during sleep rings on waking; it wakes nobody.
 */
#include <sys/timerfd.h>

#include <time.h>

#include "os.h"

int
os_alarm(void)
{
	return timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
}

int
os_alarm_at(int fd, int64_t awake_ms)
{
	struct itimerspec at = { .it_value = { 0 } };	/* off */

	if (awake_ms >= 0) {
		at.it_value.tv_sec = awake_ms / 1000;
		at.it_value.tv_nsec = awake_ms % 1000 * 1000000;
		if (awake_ms == 0)	/* long ago; 0 would be off */
			at.it_value.tv_nsec = 1;
	}
	return timerfd_settime(fd, TFD_TIMER_ABSTIME, &at, NULL);
}
