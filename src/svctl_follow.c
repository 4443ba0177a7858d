/* SPDX-License-Identifier: ISC */
/*
 * Logs as they grow: from where the printing of the old lines has stopped,
 * so that no line is shown twice or left out, through any number of
 * rotations.
 */
#include <sys/stat.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_logs.h"

#define FOLLOW_MS	100	/* no event for this on every system */
#define PART_MAX	65536

static bool
is_same(FILE *f, const char *path)
{
	struct stat a, b;

	return f != NULL && fstat(fileno(f), &a) == 0 &&
	    stat(path, &b) == 0 && a.st_ino == b.st_ino &&
	    a.st_dev == b.st_dev;
}

/* The file that was current has another name by now: it and what came after
 * it are the files to read. */
static void
find_place(struct lines *l)
{
	char path[LINES_DIR_LEN + LINES_NAME_LEN + 2];
	int i;

	free(l->file);
	l->n = lines_list(l->dir, &l->file);
	for (i = l->n - 1; i >= 0; i--) {
		(void)snprintf(path, sizeof path, "%s/%s", l->dir,
		    l->file[i]);
		if (is_same(l->f, path))
			break;
	}
	l->at = i;
	if (i >= 0)
		return;
	/* Deleted under us, or not there until now. */
	if (l->f != NULL)
		(void)fclose(l->f);
	(void)snprintf(path, sizeof path, "%s/current", l->dir);
	l->f = fopen(path, "re");
	l->at = l->n - 1;
}

/* What is read at the end of a file may be half a line. */
void
logs_take(const struct logs *s, struct log *g, const char *line, size_t len)
{
	char *grown;

	if (g->npart == 0 && line[len - 1] == '\n') {
		if (lines_fits(&s->match, line, len))
			logs_put(s, g, line, len);
		return;
	}
	grown = realloc(g->part, g->npart + len);
	if (grown == NULL)
		return;
	g->part = grown;
	memcpy(g->part + g->npart, line, len);
	g->npart += len;
	if (line[len - 1] != '\n' && g->npart < PART_MAX)
		return;
	if (lines_fits(&s->match, g->part, g->npart))
		logs_put(s, g, g->part, g->npart);
	g->npart = 0;
}

static void
read_on(const struct logs *s, struct log *g)
{
	struct lines *l = &g->lines;
	char path[LINES_DIR_LEN + LINES_NAME_LEN + 2];

	(void)snprintf(path, sizeof path, "%s/current", l->dir);
	if (!is_same(l->f, path))
		find_place(l);
	while (lines_next(l))
		logs_take(s, g, l->line, (size_t)l->len);
}

int
logs_follow(struct logs *s)
{
	int i;

	for (i = 0; i < s->n; i++)
		s->log[i].lines.match = NULL;	/* logs_take looks */
	for (;;) {
		for (i = 0; i < s->n; i++)
			read_on(s, &s->log[i]);
		if (fflush(stdout) != 0 || ferror(stdout))
			return CTL_OK;	/* the reader has gone */
		(void)poll(NULL, 0, FOLLOW_MS);
	}
}
