/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_KMSG_H
#define SVTREE_OOM_KMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the kernel says when it kills a process for memory. Pure: text in,
 * facts out.
 */
struct kernel_kill {
	int64_t	 pid;		/* 0 unknown */
	char	 name[32];	/* of the process, "" unknown */
	int64_t	 rss;		/* bytes, 0 unknown */
	bool	 limited;	/* a control group's limit, not the host's */
};

/* One line of the kernel's log. False: it tells of no such kill. */
bool kmsg_parse(const char *line, size_t n, struct kernel_kill *k);
/* The count of /proc/vmstat; -1: there is none. */
int64_t vmstat_kills(const char *text);
/* "its process python3 (pid 7, 3.1 GiB)", or "it" */
void kill_words(const struct kernel_kill *k, const char *subject, char *dst,
    size_t cap);

#endif
