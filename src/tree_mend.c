/* SPDX-License-Identifier: ISC */
/*
 * The run directory under attack: a cleaner, or a hand that slipped, takes
 * away what a running tree needs. It is made anew from memory, and told: the
 * services themselves have lost nothing.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control.h"
#include "log.h"
#include "os.h"
#include "service.h"

#define AGAIN_MS	100

/* The file of that name is the one that is open as fd. */
static bool
is_there(const char *path, int fd)
{
	struct stat a, b;

	return fd >= 0 && stat(path, &a) == 0 && fstat(fd, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* Without it a second supervisor could start beside us. The old descriptor
 * stays open: it is another file. */
static bool
mend_lock(struct tree *t)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[TREE_PATH_MAX + 16];
	int fd;

	(void)snprintf(path, sizeof path, "%s/lock", t->run);
	if (is_there(path, t->lock_fd))
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || fcntl(fd, F_SETLK, &fl) < 0) {
		log_warn("lock %s again", path);
		if (fd >= 0)
			(void)close(fd);
		return false;
	}
	t->lock_fd = fd;
	return true;
}

static bool
mend_table(struct tree *t)
{
	char path[TREE_PATH_MAX + 16];
	struct table fresh;
	int i;

	(void)snprintf(path, sizeof path, "%s/table", t->run);
	if (is_there(path, t->table.fd))
		return false;
	if (table_open(&fresh, path, t->table.slots) < 0) {
		log_warn("make %s anew", path);
		return false;
	}
	table_close(&t->table);
	t->table = fresh;
	for (i = 0; i < t->n; i++)
		(void)service_save(t->sv[i]);
	return true;
}

static bool
mend_log_link(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/logdir", t->run);
	return access(path, F_OK) < 0 && symlink(t->log, path) == 0;
}

/* A FIFO that is gone by name still carries what is written; the service that
 * holds it is told to be stale, as only a restart gives it the new one. */
static bool
mend_service(struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];

	service_fifo(sv, path, sizeof path);
	if (is_there(path, sv->log_fd))
		return false;
	if (sv->log_fd >= 0)
		(void)close(sv->log_fd);
	sv->log_fd = -1;
	if (spawn_make_dir(sv) < 0) {
		log_warn("%s: make its run directory anew", sv->conf->name);
		return false;
	}
	if (state_is_alive((enum state)sv->rec.state))
		sv->stale = true;
	return true;
}

/* The directory itself, and the watch on it. */
static int
mend_directory(struct tree *t)
{
	if (mkdir(t->run, 0755) < 0 && errno != EEXIST)
		return -1;
	if (t->watch_fd >= 0)
		(void)close(t->watch_fd);
	t->watch_fd = os_watch_dir(t->run, TAG(TAG_RUN, 0));
	return t->watch_fd < 0 ? -1 : 0;
}

void
tree_tell_logger(struct tree *t)
{
	struct service *logger = tree_find(t, "svlog");

	if (logger == NULL)
		return;
	/* Before it is ready SIGHUP would end it, and it has yet to look. */
	if (logger->notify_fd >= 0)
		service_notified(logger);
	if (logger->rec.state == ST_UP)
		(void)service_signal(logger, SIGHUP);
}

void
tree_mend(struct tree *t)
{
	int i, mended = 0;

	t->mend_ms = 0;
	if (mend_directory(t) < 0) {	/* maybe still being removed */
		t->mend_ms = os_now_ms() + AGAIN_MS;
		return;
	}
	mended += mend_lock(t);
	mended += mend_table(t);
	mended += mend_log_link(t);
	mended += control_check(t);
	for (i = 0; i < t->n; i++)
		mended += mend_service(t->sv[i]);
	if (mended == 0)
		return;
	tree_tell_logger(t);
	event_tree(t, "alarm", "somebody removed files of the run directory; "
	    "they were made anew");
}
