/* SPDX-License-Identifier: ISC */
/*
 * tee(2) doubles what lies in the FIFO into a pipe of our own; only what has
 * reached the file is then read away.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os.h"
#include "oslog.h"

static int copy[2] = { -1, -1 };

int
oslog_open(void)
{
	if (os_pipe(copy) < 0)
		return -1;
	return os_nonblock(copy[0]);
}

ssize_t
oslog_peek(int fifo, char *dst)
{
	ssize_t n, got, sum = 0;

	n = tee(fifo, copy[1], OSLOG_BATCH, SPLICE_F_NONBLOCK);
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : n;
	while (sum < n) {
		got = read(copy[0], dst + sum, (size_t)(n - sum));
		if (got <= 0)
			return -1;
		sum += got;
	}
	return n;
}

int
oslog_consume(int fifo, size_t n)
{
	static char away[OSLOG_BATCH];
	ssize_t got;

	while (n > 0) {
		got = read(fifo, away, n);
		if (got <= 0)
			return -1;
		n -= (size_t)got;
	}
	return 0;
}
