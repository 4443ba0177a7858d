/* SPDX-License-Identifier: ISC */
/*
 * Linux: a process group by kinship, from proc(5)'s lists of children. A
 * walk through all of /proc costs as much as there are processes; this, as
 * much as the group has.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "os_linux_family.h"

/* Bytes of the list of siblings, some 150: those of a supervisor with more
 * stay unseen, as to ask for each whose group it is in would cost more than
 * all else that a status does. */
#define SIBLINGS	1024

struct family {
	pid_t	 pgid;
	pid_t	*member;
	int	 n, max;
	bool	 overflow;
};

static void
add(struct family *f, pid_t pid)
{
	int i;

	if (pid <= 0 || getpgid(pid) != f->pgid)
		return;
	for (i = 0; i < f->n; i++)
		if (f->member[i] == pid)
			return;
	if (f->n == f->max)
		f->overflow = true;
	else
		f->member[f->n++] = pid;
}

/* A list of numbers with blanks between them; nothing of one that is as long
 * as most bytes. */
static int
add_list(struct family *f, const char *path, ssize_t most)
{
	char text[SIBLINGS];
	ssize_t i, n;
	pid_t pid = 0;
	int fd;

	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return -1;
	while ((n = read(fd, text, sizeof text)) > 0 && n < most)
		for (i = 0; i < n; i++) {
			if (isdigit((unsigned char)text[i])) {
				pid = pid * 10 + (text[i] - '0');
				continue;
			}
			add(f, pid);
			pid = 0;
		}
	add(f, pid);
	(void)close(fd);
	return 0;
}

/* Every thread has its own list of children. */
static int
add_children(struct family *f, pid_t pid, ssize_t most)
{
	char path[64];
	struct dirent *de;
	int seen = 0;
	DIR *d;

	(void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	if ((d = opendir(path)) == NULL)
		return 0;	/* gone meanwhile */
	while ((de = readdir(d)) != NULL) {
		if (!isdigit((unsigned char)de->d_name[0]))
			continue;
		(void)snprintf(path, sizeof path,
		    "/proc/%d/task/%.20s/children", (int)pid, de->d_name);
		seen += add_list(f, path, most) == 0;
	}
	(void)closedir(d);
	return seen > 0 ? 0 : -1;
}

int
family_of_group(pid_t leader, pid_t parent, pid_t *member, int max)
{
	struct family f = { .pgid = leader, .member = member, .max = max };
	int i;

	add(&f, leader);
	if (f.n == 0 || add_children(&f, parent, SIBLINGS) < 0)
		return -1;
	for (i = 0; i < f.n; i++)
		(void)add_children(&f, member[i], SSIZE_MAX);
	return f.overflow ? -1 : f.n;
}
