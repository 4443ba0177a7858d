/* SPDX-License-Identifier: ISC */
/*
 * Files in the state directory: read whole, replaced whole. What they hold is
 * their owners' matter.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keep.h"

int
keep_path(const char *name, char *dst, size_t cap)
{
	const char *dir = getenv("SVTREE_STATE");

	if (dir == NULL || dir[0] != '/') {
		errno = ENOENT;
		return -1;
	}
	if ((size_t)snprintf(dst, cap, "%s/%s", dir, name) < cap)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

int
keep_read(const char *path, char *dst, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	dst[0] = '\0';
	if (fd < 0)
		return -1;
	n = read(fd, dst, cap - 1);
	(void)close(fd);
	dst[n > 0 ? n : 0] = '\0';
	return (int)n;
}

/* So that the new name is on disk as well. */
static void
sync_directory(const char *path)
{
	char dir[KEEP_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd;

	(void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
	if ((fd = open(dir, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

int
keep_write(const char *path, const char *bytes, size_t n)
{
	char fresh[KEEP_PATH_MAX + 8];
	bool good;
	int fd;

	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -1;
	good = write(fd, bytes, n) == (ssize_t)n && fsync(fd) == 0;
	good = close(fd) == 0 && good;
	if (!good || rename(fresh, path) < 0)
		return -1;
	sync_directory(path);
	return 0;
}
