/* SPDX-License-Identifier: ISC */
/*
 * The end of a service's log, read from the file that svlog writes.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "view.h"

size_t
view_log(const char *dir, const char *name, char *dst, size_t cap)
{
	char path[1024];
	struct stat st;
	ssize_t got;
	size_t n = 0;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s/current", dir, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return 0;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if (st.st_size > (off_t)cap)
			(void)lseek(fd, st.st_size - (off_t)cap, SEEK_SET);
		while (n < cap && (got = read(fd, dst + n, cap - n)) > 0)
			n += (size_t)got;
	}
	(void)close(fd);
	return n;
}
