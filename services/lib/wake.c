/* SPDX-License-Identifier: ISC */
/*
 * Signals as bytes of a pipe, for a loop waits on descriptors only; sleep
 * by the difference of two clocks. Knows nothing of what follows from either.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "wake.h"

#define SLEPT_MS 2000

static int wake[2] = { -1, -1 };

static void
on_signal(int signo)
{
	int saved = errno;
	char c = (char)signo;

	/* A full pipe wakes as well. */
	(void)!write(wake[1], &c, 1);
	errno = saved;
}

int
wake_open(const int *list)
{
	struct sigaction sa = { .sa_handler = on_signal,
	    .sa_flags = SA_RESTART };

	if (os_pipe(wake) < 0 || os_nonblock(wake[0]) < 0 ||
	    os_nonblock(wake[1]) < 0)
		return -1;
	(void)sigemptyset(&sa.sa_mask);
	for (; *list != 0; list++)
		if (sigaction(*list, &sa, NULL) < 0)
			return -1;
	(void)signal(SIGPIPE, SIG_IGN);
	return 0;
}

int
wake_fd(void)
{
	return wake[0];
}

int
wake_next(void)
{
	char c;

	return read(wake[0], &c, 1) == 1 ? c : 0;
}

bool
wake_slept(void)
{
	static int64_t before = -1;
	int64_t asleep = os_awake_ms() - os_now_ms();
	bool slept = before >= 0 && asleep - before > SLEPT_MS;

	if (slept)
		log_info("the machine has slept %lld s",
		    (long long)((asleep - before) / 1000));
	before = asleep;
	return slept;
}
