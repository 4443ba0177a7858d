/* SPDX-License-Identifier: ISC */
/*
 * Linux: /proc. The descriptors of another user's process root alone counts.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "footprint.h"

/* proc(5), /proc/PID/statm: size, resident, ..., in pages. */
static int64_t
resident_of(pid_t pid)
{
	char path[40], text[128], *space;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	text[n > 0 ? n : 0] = '\0';
	if ((space = strchr(text, ' ')) == NULL)
		return -1;
	return strtoll(space, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static int64_t
descriptors_of(pid_t pid)
{
	const struct dirent *e;
	int64_t n = 0;
	char path[40];
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if ((d = opendir(path)) == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

void
footprint_of(pid_t pid, int64_t *resident, int64_t *descriptors)
{
	*resident = resident_of(pid);
	*descriptors = descriptors_of(pid);
}
