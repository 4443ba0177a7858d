/* SPDX-License-Identifier: ISC */
/* The alarm on the clock that counts sleep. */
#include <criterion/criterion.h>

#include <poll.h>

#include "os.h"

static bool
rings(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

Test(alarm, rings_when_its_time_has_come)
{
	int64_t due = os_awake_ms() + 30;
	int fd = os_alarm();

	cr_assert_geq(fd, 0);
	cr_assert_eq(os_alarm_at(fd, due), 0);
	cr_assert(rings(fd, 10000));
	cr_assert_geq(os_awake_ms(), due);
}

Test(alarm, what_is_past_rings_at_once)
{
	int fd = os_alarm();

	cr_assert_eq(os_alarm_at(fd, 0), 0);
	cr_assert(rings(fd, 10000));
}

Test(alarm, set_anew_it_takes_back_what_rang)
{
	int fd = os_alarm();

	cr_assert_eq(os_alarm_at(fd, 0), 0);
	cr_assert(rings(fd, 10000));
	cr_assert_eq(os_alarm_at(fd, os_awake_ms() + 3600000), 0);
	cr_assert_not(rings(fd, 0));
	cr_assert_eq(os_alarm_at(fd, -1), 0);
	cr_assert_not(rings(fd, 0));
}

Test(alarm, ends_the_wait_of_the_loop)
{
	struct os_event ev[4];
	int fd, n = 0;

	cr_assert_eq(os_open(), 0);
	fd = os_alarm();
	cr_assert_eq(os_watch(fd, OS_READ, 77), 0);
	cr_assert_eq(os_alarm_at(fd, os_awake_ms() + 20), 0);
	while (n == 0)
		n = os_wait(os_now_ms() + 10000, ev, 4);
	cr_assert_eq(n, 1);
	cr_assert_eq(ev[0].tag, 77u);
	cr_assert_eq(ev[0].what, OS_READ);
}
