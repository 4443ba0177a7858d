/* SPDX-License-Identifier: ISC */
/*
 * Lines of the Linux kernel, of all versions since 3.10:
 *	Out of memory: Killed process 2592 (python3) total-vm:..., anon-rss:...
 *	Memory cgroup out of memory: Killed process 999 (box) total-vm:...
 *	Killed process 999 (x), UID 0, total-vm:123kB, anon-rss:45kB, ...
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "box.h"
#include "oom_kmsg.h"

#define LINE_LEN	512

bool
kmsg_parse(const char *line, size_t n, struct kernel_kill *k)
{
	static const char mark[] = "illed process ";
	char text[LINE_LEN];
	const char *p, *rss;
	int end = 0;

	*k = (struct kernel_kill){ .pid = 0 };
	if (n >= sizeof text)
		n = sizeof text - 1;
	(void)memcpy(text, line, n);
	text[n] = '\0';
	p = strstr(text, mark);
	if (p == NULL || p == text || (p[-1] != 'K' && p[-1] != 'k'))
		return false;
	if (sscanf(p + sizeof mark - 1, "%" SCNd64 " (%31[^)]%n", &k->pid,
	    k->name, &end) != 2 || k->pid <= 0 || end == 0)
		return false;
	k->limited = strstr(text, "emory cgroup out of memory") != NULL;
	rss = strstr(p, "anon-rss:");
	if (rss != NULL)
		k->rss = strtoll(rss + strlen("anon-rss:"), NULL, 10);
	k->rss = k->rss > 0 && k->rss < INT64_MAX / 1024 ? k->rss * 1024 : 0;
	return true;
}

int64_t
vmstat_kills(const char *text)
{
	const char *p = strstr(text, "\noom_kill ");

	return p != NULL ? strtoll(p + strlen("\noom_kill "), NULL, 10) : -1;
}

void
kill_words(const struct kernel_kill *k, const char *subject, char *dst,
    size_t cap)
{
	char size[24], rss[40] = "";

	if (k->pid == 0) {
		(void)snprintf(dst, cap, "%s", subject);
		return;
	}
	size_words(k->rss, size, sizeof size);
	if (k->rss > 0)
		(void)snprintf(rss, sizeof rss, ", %s", size);
	(void)snprintf(dst, cap, "%s %s (pid %" PRId64 "%s)", subject,
	    k->name, k->pid, rss);
}
