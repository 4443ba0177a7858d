/* SPDX-License-Identifier: ISC */
/*
 * No tee(2) here: a look takes the bytes. What the caller could not place is
 * kept for its next look, which has to be the very next one.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "oslog.h"

static char kept[OSLOG_BATCH];
static size_t nkept;

int
oslog_open(void)
{
	return 0;
}

ssize_t
oslog_peek(int fifo, char *dst)
{
	ssize_t n;

	if (nkept == 0) {
		n = read(fifo, kept, sizeof kept);
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : n;
		nkept = (size_t)n;
	}
	memcpy(dst, kept, nkept);
	return (ssize_t)nkept;
}

int
oslog_consume(int fifo, size_t n)
{
	(void)fifo;
	nkept -= n;
	memmove(kept, kept + n, nkept);
	return 0;
}

ssize_t
oslog_move(int fifo, int file, size_t n)
{
	(void)fifo;
	(void)file;
	(void)n;
	errno = EINVAL;
	return -1;
}

/* A FIFO is a pair of sockets whose buffers only the kernel sizes. */
void
oslog_widen(int fifo)
{
	(void)fifo;
}
