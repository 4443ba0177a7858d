/* SPDX-License-Identifier: ISC */
/*
 * What a person disabled, kept across reboots: a file STATE/disabled/NAME.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

static void
name_file(const struct tree *t, const char *name, char *path, size_t cap)
{
	char *slash;
	size_t n;

	(void)snprintf(path, cap, "%s/disabled%s%s", t->state,
	    name != NULL ? "/" : "", name != NULL ? name : "");
	/* A logger's NAME/log: ':' is in no name. */
	n = name != NULL ? strlen(name) : 0;
	if (n > 0 && (slash = strchr(path + strlen(path) - n, '/')) != NULL)
		*slash = ':';
}

int
intent_set(const struct tree *t, const char *name, bool enabled)
{
	char path[1200];
	int fd;

	name_file(t, NULL, path, sizeof path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	name_file(t, name, path, sizeof path);
	if (enabled)
		return unlink(path) < 0 && errno != ENOENT ? -1 : 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	(void)fsync(fd);	/* this one must outlive a power cut */
	return close(fd);
}

bool
intent_is_disabled(const struct tree *t, const char *name)
{
	char path[1200];

	name_file(t, name, path, sizeof path);
	return access(path, F_OK) == 0;
}
