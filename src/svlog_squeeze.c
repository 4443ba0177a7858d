/* SPDX-License-Identifier: ISC */
/*
 * Compression of rotated files: one child at a time, of low priority, runs
 * gzip(1) or zstd(1) on one file. The loop never waits for it; what was cut
 * short is done again.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "svlog.h"

extern char **environ;

static const char *const program[] = {
	[COMPRESS_GZIP] = "gzip", [COMPRESS_ZSTD] = "zstd",
};

static pid_t child;		/* 0: none */
static struct svlog_file *file;	/* whose; NULL: forgotten meanwhile */
static char path[SVLOG_PATH];	/* what it compresses */

static int
start(const char *name)
{
	char *gzip[] = { (char *)"gzip", (char *)"-f", path, NULL };
	char *zstd[] = { (char *)"zstd", (char *)"-qf", (char *)"--rm", path,
	    NULL };
	posix_spawn_file_actions_t fds;
	posix_spawnattr_t how;
	sigset_t none, pipe_only;
	int e;

	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)posix_spawnattr_init(&how);
	(void)posix_spawnattr_setsigmask(&how, &none);
	(void)posix_spawnattr_setsigdefault(&how, &pipe_only);
	(void)posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawn_file_actions_init(&fds);
	(void)posix_spawn_file_actions_addopen(&fds, 0, "/dev/null", O_RDWR,
	    0);
	e = posix_spawnp(&child, name, &fds, &how,
	    strcmp(name, "gzip") == 0 ? gzip : zstd, environ);
	(void)posix_spawn_file_actions_destroy(&fds);
	(void)posix_spawnattr_destroy(&how);
	return e;
}

static void
give_up(struct svlog_file *f)
{
	f->squeeze = false;
	f->conf.compress = COMPRESS_NO;	/* until the settings are read again */
}

bool
svlog_squeeze(struct svlog_file *f)
{
	char name[SVLOG_ROTATED];
	int e;

	if (f->conf.compress == COMPRESS_NO)
		return false;
	f->squeeze = true;
	if (child > 0)
		return true;
	(void)svlog_rotated(f, name);
	if (name[0] == '\0') {
		f->squeeze = false;
		return false;
	}
	svlog_path(f, name, path, sizeof path);
	e = start(program[f->conf.compress]);
	if (e != 0) {
		child = 0;
		errno = e;
		log_warn("%s: run %s", f->name, program[f->conf.compress]);
		give_up(f);
		return false;
	}
	(void)setpriority(PRIO_PROCESS, (id_t)child, 19);
	file = f;
	return true;
}

bool
svlog_squeeze_reap(void)
{
	int status;

	if (child <= 0 || waitpid(child, &status, WNOHANG) != child)
		return false;
	child = 0;
	if (file == NULL)
		return true;
	/* A file that was deleted meanwhile is no fault. */
	if (status != 0 && access(path, F_OK) == 0) {
		log_warnx("%s: %s failed: the rotated files stay as they are",
		    file->name, program[file->conf.compress]);
		give_up(file);
	}
	svlog_trim(file);
	return true;
}

void
svlog_squeeze_forget(const struct svlog_file *f)
{
	if (file == f)
		file = NULL;
}

void
svlog_squeeze_end(void)
{
	if (child > 0)
		(void)kill(child, SIGTERM);
}
