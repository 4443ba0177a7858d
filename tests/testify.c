/* SPDX-License-Identifier: ISC */
/*
 * A service that testifies. It says by itself, without the supervisor's word,
 * when it starts, that it is alone, what it was told and what it printed:
 *
 *   DIR/journal      "START NAME PID", "DUP NAME PID" when another instance
 *                    lives, "TERM NAME PID"; appended, one write a line
 *   DIR/NAME.alone   locked while it lives (not the supervisor's lock)
 *   DIR/NAME.PID.n   an int64: lines printed so far, in shared memory, so
 *                    that SIGKILL cannot take it back
 *
 * usage: testify -d DIR [-n NAME] [options]
 *   -l MS   prints "line PID NUMBER" every MS milliseconds
 *   -b N    ... N of them at a time
 *   -c MS   ends with code 1 after about MS
 *   -e MS   ends with code 0 after MS
 *   -i      ignores SIGTERM        -f      leaves a child in its group
 *   -r MS   says READY=1 after MS  -F FD   a newline on FD after MS of -r
 *   -z      closes descriptor 0 and all from 3 on
 */
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *dir, *name;
static int journal = -1;
static int64_t *count;
static volatile sig_atomic_t told;
static struct {
	long line_ms, burst, crash_ms, end_ms, ready_ms, ready_fd;
	bool ignore, fork, close;
} opt = { .line_ms = -1, .burst = 1, .crash_ms = -1, .end_ms = -1,
    .ready_ms = -1, .ready_fd = -1 };

static int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
testify(const char *word)
{
	char line[128];
	int n = snprintf(line, sizeof line, "%s %s %d\n", word, name,
	    (int)getpid());

	(void)!write(journal, line, (size_t)n);
}

static void
on_term(int signo)
{
	(void)signo;
	told = 1;
}

static int
open_in_dir(const char *what, int flags)
{
	char path[1024];

	(void)snprintf(path, sizeof path, "%s/%s", dir, what);
	return open(path, flags | O_CREAT | O_CLOEXEC, 0644);
}

static void
be_alone(void)
{
	char file[256];
	int fd;

	(void)snprintf(file, sizeof file, "%s.alone", name);
	fd = open_in_dir(file, O_RDWR);
	testify(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? "START" :
	    "DUP");
	if (opt.close)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
}

static void
share_count(void)
{
	char file[256];
	int fd;

	(void)snprintf(file, sizeof file, "%s.%d.n", name, (int)getpid());
	fd = open_in_dir(file, O_RDWR);
	if (fd < 0 || ftruncate(fd, sizeof *count) < 0)
		exit(100);
	count = mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (count == MAP_FAILED)
		exit(100);
	(void)close(fd);
}

static void
say_ready(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd;

	if (opt.ready_fd >= 0) {
		(void)!write((int)opt.ready_fd, "\n", 1);
		(void)close((int)opt.ready_fd);
		return;
	}
	if (path == NULL || (fd = socket(AF_UNIX, SOCK_DGRAM, 0)) < 0)
		return;
	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
	(void)sendto(fd, "READY=1", 7, 0, (struct sockaddr *)&sun,
	    sizeof sun);
	(void)close(fd);
}

static void
print_lines(void)
{
	char line[64];
	long i;
	int n;

	for (i = 0; i < opt.burst; i++) {
		n = snprintf(line, sizeof line, "line %d %lld\n",
		    (int)getpid(), (long long)*count + 1);
		if (write(1, line, (size_t)n) == n)
			++*count;
	}
}

static void
keep_a_child(void)
{
	if (fork() != 0)
		return;
	for (;;)
		(void)poll(NULL, 0, -1);
}

static void
close_most(void)
{
	int fd;

	(void)close(0);
	for (fd = 3; fd < 200; fd++)
		if (fd != journal)
			(void)close(fd);
}

static void
live(void)
{
	int64_t start = now_ms(), next = 0, now;
	bool ready = opt.ready_ms < 0;
	long wait;

	for (;;) {
		now = now_ms() - start;
		if (told) {
			testify("TERM");
			told = 0;
			if (!opt.ignore)
				exit(0);
		}
		if (!ready && now >= opt.ready_ms) {
			say_ready();
			ready = true;
		}
		if (opt.crash_ms >= 0 && now >= opt.crash_ms)
			exit(1);
		if (opt.end_ms >= 0 && now >= opt.end_ms)
			exit(0);
		wait = opt.line_ms >= 0 || !ready || opt.crash_ms >= 0 ||
		    opt.end_ms >= 0 ? 5 : -1;
		if (opt.line_ms >= 0 && now >= next) {
			print_lines();
			next = now + opt.line_ms;
		}
		if (opt.line_ms >= 0 && opt.line_ms < 5)
			wait = opt.line_ms;
		(void)poll(NULL, 0, (int)wait);
	}
}

static void
take_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:n:l:b:c:e:ifr:F:z")) != -1)
		switch (c) {
		case 'd': dir = optarg; break;
		case 'n': name = optarg; break;
		case 'l': opt.line_ms = atol(optarg); break;
		case 'b': opt.burst = atol(optarg); break;
		case 'c': opt.crash_ms = atol(optarg); break;
		case 'e': opt.end_ms = atol(optarg); break;
		case 'i': opt.ignore = true; break;
		case 'f': opt.fork = true; break;
		case 'r': opt.ready_ms = atol(optarg); break;
		case 'F': opt.ready_fd = atol(optarg); break;
		case 'z': opt.close = true; break;
		default: exit(100);
		}
}

int
main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_term };

	name = getenv("SVTREE_SERVICE");
	take_options(argc, argv);
	if (dir == NULL || name == NULL)
		return 100;
	(void)sigaction(SIGTERM, &sa, NULL);
	journal = open_in_dir("journal", O_WRONLY | O_APPEND);
	be_alone();
	if (opt.line_ms >= 0)
		share_count();
	if (opt.fork)
		keep_a_child();
	if (opt.close)
		close_most();
	live();
}
