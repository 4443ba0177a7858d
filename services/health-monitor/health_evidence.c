/* SPDX-License-Identifier: ISC */
/*
 * What is kept of a failure: the answer to the probe, whole within a bound,
 * and the last things that the service said before, from its log: that our own
 * probes were answered is none of it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "health.h"

#define LINES		3	/* that are kept */
#define LINE_KEPT	160	/* bytes of each */
#define TAIL	8192		/* bytes of the log that are looked at */
#define STAMP	28		/* "2026-11-24T17:02:22.668747Z " */

/* Servers log the path. */
bool
evidence_is_of_a_probe(const struct target *t, const char *line, size_t n)
{
	const char *path;
	size_t len, i;
	int k;

	for (k = 0; k < LAYER_COUNT; k++) {
		path = strstr(t->ask[k].url, "://");
		path = path != NULL ? strchr(path + 3, '/') : NULL;
		if (path == NULL || (len = strlen(path)) < 2)
			continue;
		for (i = 0; i + len <= n; i++)
			if (memcmp(line + i, path, len) == 0)
				return true;
	}
	return false;
}

void
evidence_copy_line(const char *line, size_t n, char *dst, size_t cap)
{
	size_t i;

	if (n > STAMP && line[10] == 'T' && line[26] == 'Z') {
		line += STAMP;
		n -= STAMP;
	}
	for (i = 0; i < n && i + 1 < cap; i++)
		dst[i] = line[i] >= ' ' && line[i] <= '~' ? line[i] : ' ';
	dst[i] = '\0';
}

void
evidence_keep(struct target *t, const char *text, size_t n)
{
	char line[2 * EVIDENCE_MAX];
	size_t i;

	while (n > 0 && (unsigned char)text[n - 1] <= ' ')
		n--;
	if (n >= sizeof line)
		n = sizeof line - 1;
	for (i = 0; i < n; i++)
		line[i] = (unsigned char)text[i] < ' ' || text[i] == '\177' ?
		    ' ' : text[i];
	line[n] = '\0';
	buf_fit(t->evidence, sizeof t->evidence, line);
}

const char *
evidence_place(const struct target *t)
{
	if (t->server == SERVER_DOCKER)
		return ", by its HEALTHCHECK inside the container,";
	return t->conf->container->name != NULL ? ", from the host," : "";
}

/* The last lines, newest first. Their number. */
static int
find_last(const struct target *t, const char *text, size_t end,
    char line[][LINE_KEPT])
{
	size_t begin;
	int n = 0;

	while (end > 0 && n < LINES) {
		if ((unsigned char)text[end - 1] <= ' ') {
			end--;
			continue;
		}
		for (begin = end; begin > 0 && text[begin - 1] != '\n';)
			begin--;
		if (!evidence_is_of_a_probe(t, text + begin, end - begin))
			evidence_copy_line(text + begin, end - begin,
			    line[n++], LINE_KEPT);
		end = begin;
	}
	return n;
}

int
evidence_last_lines(const struct target *t, char *dst, size_t cap)
{
	const char *dir = getenv("SVTREE_LOG");
	char path[1200], text[TAIL], line[LINES][LINE_KEPT];
	off_t size;
	ssize_t n;
	int fd, i, lines = 0;

	dst[0] = '\0';
	if (dir == NULL)
		return 0;
	(void)snprintf(path, sizeof path, "%s/%s/current", dir,
	    t->conf->name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return 0;
	size = lseek(fd, 0, SEEK_END);
	n = pread(fd, text, sizeof text, size > TAIL ? size - TAIL : 0);
	(void)close(fd);
	if (n > 0)
		lines = find_last(t, text, (size_t)n, line);
	for (i = lines - 1; i >= 0; i--) {
		(void)strlcat(dst, line[i], cap);
		if (i > 0)
			(void)strlcat(dst, " | ", cap);
	}
	return lines;
}
