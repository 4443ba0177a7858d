/* SPDX-License-Identifier: ISC */
/*
 * tee(2) doubles what lies in the FIFO into a pipe of our own; only what has
 * reached the file is then taken away, by moving it to /dev/null.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "os.h"
#include "oslog.h"

static int copy[2] = { -1, -1 };
static int nowhere = -1;

int
oslog_open(void)
{
	if (os_pipe(copy) < 0 || os_nonblock(copy[0]) < 0)
		return -1;
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	return nowhere < 0 ? -1 : 0;
}

/* Our own pipe grows with the first FIFO that does: it costs memory. */
void
oslog_widen(int fifo)
{
	static bool wide;

	if (!wide)
		wide = fcntl(copy[1], F_SETPIPE_SZ, OSLOG_BATCH) > 0;
	(void)fcntl(fifo, F_SETPIPE_SZ, 2 * OSLOG_BATCH);
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
	ssize_t got;

	while (n > 0) {
		got = splice(fifo, NULL, nowhere, NULL, n,
		    SPLICE_F_NONBLOCK);
		if (got <= 0)
			return -1;
		n -= (size_t)got;
	}
	return 0;
}

ssize_t
oslog_move(int fifo, int file, size_t n)
{
	ssize_t got = splice(fifo, NULL, file, NULL, n, SPLICE_F_NONBLOCK);

	return got < 0 && errno == EAGAIN ? 0 : got;
}
