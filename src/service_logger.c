/* SPDX-License-Identifier: ISC */
/*
 * Loggers of one service (log/run). NAME writes into a FIFO, run/NAME/pipe,
 * that its logger NAME/log has as standard input; the supervisor and the
 * service hold it open, so a restart of either loses nothing. The logger is
 * stopped last, by the end of its input. When log/run goes away, the FIFO
 * gets the name run/NAME/log and with it the logger of the tree. What no
 * logger has read outlives the removal of its service.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"

#define PIPE	"pipe"

/* A name has at most one '/'; in a path it is a ':', which no name has. */
void
service_path(const struct service *sv, const char *file, char *dst,
    size_t cap)
{
	char name[sizeof sv->rec.name], *slash;

	(void)snprintf(name, sizeof name, "%s", sv->conf->name);
	if ((slash = strchr(name, '/')) != NULL)
		*slash = ':';
	(void)snprintf(dst, cap, "%s/%s%s%s", sv->tree->run, name,
	    file[0] != '\0' ? "/" : "", file);
}

void
service_fifo(const struct service *sv, char *dst, size_t cap)
{
	service_path(sv, sv->conf->has_logger ? PIPE : "log", dst, cap);
}

struct service *
logger_main(const struct tree *t, const struct service *logger)
{
	size_t len = strlen(logger->conf->name);
	size_t end = sizeof CONF_LOGGER - 1;
	char name[CONF_NAME_MAX + 8];

	if (len <= end ||
	    strcmp(logger->conf->name + len - end, CONF_LOGGER) != 0)
		return NULL;
	(void)snprintf(name, sizeof name, "%.*s", (int)(len - end),
	    logger->conf->name);
	return tree_find(t, name);
}

/* No writer but the service is left: when that is gone too, the logger reads
 * to the end. What it does not read stays, as long as we can read. */
bool
logger_end(struct service *logger)
{
	struct service *sv = logger_main(logger->tree, logger);
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd;

	if (logger->conf->logs == NULL)
		return false;
	if (sv == NULL)
		return true;
	if (state_is_alive((enum state)sv->rec.state))
		return false;
	service_fifo(sv, path, sizeof path);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (sv->log_fd >= 0)
		(void)close(sv->log_fd);
	sv->log_fd = fd;
	sv->log_ended = true;
	return true;
}

void
logger_begin(struct service *logger)
{
	struct service *sv = logger_main(logger->tree, logger);

	if (sv != NULL && logger->conf->logs != NULL)
		(void)spawn_make_dir(sv);
}

void
logger_settle(struct service *sv)
{
	char pipe_path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	char log_path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	char name[CONF_NAME_MAX + 8];
	struct service *logger;

	if (sv->conf->has_logger)
		return;
	(void)snprintf(name, sizeof name, "%s" CONF_LOGGER, sv->conf->name);
	if (tree_find(sv->tree, name) != NULL)
		return;		/* it is still being read */
	service_path(sv, PIPE, pipe_path, sizeof pipe_path);
	service_path(sv, "log", log_path, sizeof log_path);
	if (access(pipe_path, F_OK) < 0)
		return;
	if (!state_is_alive((enum state)sv->rec.state)) {
		(void)unlink(pipe_path);
		return;
	}
	if (rename(pipe_path, log_path) < 0) {
		log_warn("%s: give its pipe to the logger of the tree",
		    sv->conf->name);
		return;
	}
	if (sv->log_fd >= 0)
		(void)close(sv->log_fd);
	sv->log_fd = -1;
	(void)spawn_make_dir(sv);
	if ((logger = tree_find(sv->tree, "svlog")) != NULL &&
	    logger->rec.pid > 0)
		(void)service_signal(logger, SIGHUP);
}

static bool
is_unread(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

/* The last words of who is gone stay in its FIFO until a logger has read
 * them: somebody has to hold it. */
void
logger_hold(struct tree *t, int fd)
{
	int i, at = 0;

	for (i = 0; i < TREE_HELD_MAX; i++) {
		if (t->held_fd[i] > 0 && !is_unread(t->held_fd[i])) {
			(void)close(t->held_fd[i]);
			t->held_fd[i] = 0;
		}
		if (t->held_fd[i] == 0)
			at = i;
	}
	if (fd < 0 || !is_unread(fd)) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	if (t->held_fd[at] > 0)
		(void)close(t->held_fd[at]);
	t->held_fd[at] = fd;
}
