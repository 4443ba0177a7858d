/* SPDX-License-Identifier: ISC */
/*
 * Feeds a logger and measures it. Knows loggers only as what reads a pipe or
 * a FIFO: feed fill FILE BYTES writes lines of 100 bytes in blocks of 64 KB
 * and says how long it took until the reader had them all; feed line FILE LOG
 * N writes one line at a time and says after which time it was in the file.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE	100
#define BLOCK	65500	/* whole lines */

static double
now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void
die(const char *what)
{
	perror(what);
	exit(111);
}

static int
fill(const char *path, long long bytes)
{
	static char block[BLOCK];
	int fd, waiting = 1, i;
	double start;
	ssize_t n;

	for (i = 0; i < BLOCK; i++)
		block[i] = (char)(i % LINE == LINE - 1 ? '\n' : 'a' + i % 23);
	if (strcmp(path, "-") == 0)
		fd = 1;
	else if ((fd = open(path, O_RDWR)) < 0)
		die(path);
	start = now_us();
	while (bytes > 0) {
		n = write(fd, block, BLOCK);
		if (n != BLOCK)
			die("write");
		bytes -= n;
	}
	while (waiting > 0) {
		if (ioctl(fd, FIONREAD, &waiting) < 0)
			die("look into the pipe");
		if (waiting > 0)
			(void)usleep(100);
	}
	fprintf(stderr, "%.0f\n", now_us() - start);
	return 0;
}

static off_t
size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_size : 0;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int
line(const char *path, const char *log, int n)
{
	static char text[LINE];
	double *took = calloc((size_t)n, sizeof *took), start;
	struct timespec pause = { 0, 2000000 };
	int fd, i;
	off_t before;

	memset(text, 'x', sizeof text);
	text[LINE - 1] = '\n';
	if (strcmp(path, "-") == 0)
		fd = 1;
	else if ((fd = open(path, O_RDWR)) < 0)
		die(path);
	for (i = 0; i < n; i++) {
		(void)nanosleep(&pause, NULL);
		before = size_of(log);
		start = now_us();
		if (write(fd, text, LINE) != LINE)
			die("write");
		while (size_of(log) == before)
			if (now_us() - start > 2e6)
				break;
		took[i] = now_us() - start;
	}
	qsort(took, (size_t)n, sizeof *took, by_value);
	fprintf(stderr, "%.1f %.1f %.1f\n", took[n / 2], took[0],
	    took[n - 1]);
	free(took);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "fill") == 0)
		return fill(argv[2], atoll(argv[3]));
	if (argc == 5 && strcmp(argv[1], "line") == 0)
		return line(argv[2], argv[3], atoi(argv[4]));
	(void)fputs("usage: feed fill FIFO|- BYTES\n"
	    "       feed line FIFO|- LOG COUNT\n", stderr);
	return 100;
}
