/* SPDX-License-Identifier: ISC */
/*
 * Opens the files of a log: those that svlog has compressed are unpacked by
 * gzip(1) or zstd(1) into a file without a name, so that all can be read from
 * either end.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "svctl_lines.h"

#define STALL_MS	10000	/* so long without a byte: it hangs */

extern char **environ;

static const struct packer {
	const char *suffix, *program;
} packers[] = {
	{ ".log", NULL }, { ".log.gz", "gzip" }, { ".log.zst", "zstd" },
};

static const struct packer *
find(const char *name)
{
	size_t len = strlen(name), n, i;

	for (i = 0; i < sizeof packers / sizeof packers[0]; i++) {
		n = strlen(packers[i].suffix);
		if (len > n && strcmp(name + len - n, packers[i].suffix) == 0)
			return &packers[i];
	}
	return NULL;
}

bool
lines_is_rotated(const char *name)
{
	return name[0] != '.' && find(name) != NULL;
}

size_t
lines_stem(const char *name)
{
	const struct packer *p = find(name);

	return strlen(name) - (p != NULL ? strlen(p->suffix) : 0);
}

/* Until nobody has the other end of alive any more, or nothing is written to
 * out for too long: false. */
static bool
goes_on(int alive, int out)
{
	struct pollfd pfd = { .fd = alive, .events = POLLIN };
	struct stat st = { .st_size = 0 };
	off_t had = 0;
	int n;

	while ((n = poll(&pfd, 1, STALL_MS)) <= 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || fstat(out, &st) < 0 || st.st_size == had)
			return false;
		had = st.st_size;
	}
	return true;
}

/* An error number, 0 when all was unpacked. Its standard input is an end of
 * the pipe alive, which closes with it. */
static int
run_with(const char *program, char *path, int out, const int alive[2])
{
	char *argv[] = { (char *)program, (char *)"-dcq", path, NULL };
	posix_spawn_file_actions_t fa;
	int e, status;
	bool late;
	pid_t pid;

	if ((e = posix_spawn_file_actions_init(&fa)) != 0)
		return e;
	(void)posix_spawn_file_actions_adddup2(&fa, alive[1], 0);
	(void)posix_spawn_file_actions_adddup2(&fa, out, 1);
	e = posix_spawnp(&pid, program, &fa, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)close(alive[1]);
	if (e != 0)
		return e;
	late = !goes_on(alive[0], out);
	if (late)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return late ? ETIMEDOUT : status == 0 ? 0 : EIO;
}

static int
run(const char *program, char *path, int out)
{
	int alive[2], e;

	if (os_pipe(alive) < 0)
		return errno;
	e = run_with(program, path, out, alive);
	(void)close(alive[0]);
	return e;
}

FILE *
lines_open_file(const char *dir, const char *name)
{
	char path[LINES_DIR_LEN + LINES_NAME_LEN + 2];
	const struct packer *p = find(name);
	FILE *f;
	int e;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	if (p == NULL || p->program == NULL)
		return fopen(path, "re");
	if (access(path, R_OK) < 0 || (f = tmpfile()) == NULL)
		return NULL;
	(void)fcntl(fileno(f), F_SETFD, FD_CLOEXEC);
	if ((e = run(p->program, path, fileno(f))) != 0) {
		errno = e;
		log_warn("unpack %s by %s: its lines are left out", path,
		    p->program);
		(void)fclose(f);
		return NULL;
	}
	rewind(f);
	return f;
}
