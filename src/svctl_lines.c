/* SPDX-License-Identifier: ISC */
/*
 * Reading what svlog has written: lines through rotated files, from the
 * start or so many from the end, all or those that match.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"
#include "svctl_lines.h"

#define BLOCK	65536

int
ctl_log_dir(struct ctl *c, const char *name, char *dst, size_t cap)
{
	char run[512], file[64], *slash;

	if ((size_t)snprintf(file, sizeof file, "%s", name) >= sizeof file)
		return -1;
	/* The words of a logger, NAME/log, lie in NAME:log. */
	if ((slash = strchr(file, '/')) != NULL && strcmp(slash, "/log") == 0)
		*slash = ':';
	if (strchr(file, '/') != NULL || file[0] == '.' ||
	    client_run_dir(c->run, run, sizeof run) < 0)
		return -1;
	if ((size_t)snprintf(dst, cap, "%s/logdir/%s", run, file) >= cap)
		return -1;
	return access(dst, X_OK);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* As long as one is compressed it is there twice: the plain one, which comes
 * first, stays. How many are left. */
static int
drop_twins(char (*file)[LINES_NAME_LEN], int n)
{
	int i, left = 0;
	size_t stem;

	for (i = 0; i < n; i++) {
		stem = lines_stem(file[i]);
		if (left > 0 && stem == lines_stem(file[left - 1]) &&
		    strncmp(file[i], file[left - 1], stem) == 0)
			continue;
		if (left++ != i)
			(void)memcpy(file[left - 1], file[i],
			    LINES_NAME_LEN);
	}
	return left;
}

/* Rotated files are named by the time of their last line. */
int
lines_list(const char *dir, char (**file)[LINES_NAME_LEN])
{
	char (*grown)[LINES_NAME_LEN];
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0, room = 0;

	*file = NULL;
	while (d != NULL) {
		if (n + 1 >= room) {
			grown = realloc(*file, (size_t)(room + 64) *
			    LINES_NAME_LEN);
			if (grown == NULL)
				break;
			*file = grown;
			room += 64;
		}
		if ((e = readdir(d)) == NULL)
			break;
		if (strlen(e->d_name) < LINES_NAME_LEN &&
		    lines_is_rotated(e->d_name))
			(void)strlcpy((*file)[n++], e->d_name,
			    LINES_NAME_LEN);
	}
	if (d != NULL)
		(void)closedir(d);
	if (*file == NULL)
		return 0;
	qsort(*file, (size_t)n, LINES_NAME_LEN, by_name);
	n = drop_twins(*file, n);
	(void)strlcpy((*file)[n++], "current", LINES_NAME_LEN);
	return n;
}

static FILE *
open_file(const struct lines *l, int i)
{
	return lines_open_file(l->dir, l->file[i]);
}

bool
lines_fits(const struct lines_match *m, const char *line, size_t len)
{
	char text[4096];

	if (m == NULL)
		return true;
	if (m->since[0] != '\0' && len > LINES_STAMP && line[0] == '2' &&
	    strncmp(line, m->since, LINES_STAMP) < 0)
		return false;
	if (!m->has_regex)
		return true;
	while (len > 0 && line[len - 1] == '\n')
		len--;
	(void)snprintf(text, sizeof text, "%.*s", (int)len, line);
	return regexec(&m->regex, text, 0, NULL, 0) == 0;
}

/* Where the last *want lines of the file begin; *want is less by those that
 * it holds. */
static off_t
seek_back(FILE *f, long *want)
{
	char block[BLOCK];
	off_t end, from;
	ssize_t n;

	if (fseeko(f, 0, SEEK_END) < 0 || (end = ftello(f)) <= 0)
		return 0;
	if (*want == 0)
		return end;
	/* The newline at the very end closes a line, it begins none. */
	for (end--; end > 0; end = from) {
		from = end > BLOCK ? end - BLOCK : 0;
		n = pread(fileno(f), block, (size_t)(end - from), from);
		while (n > 0)
			if (block[--n] == '\n' && --*want == 0)
				return from + n + 1;
	}
	--*want;		/* the first line of the file */
	return 0;
}

/* By counting backwards: what is before is not read. */
static void
start_near_end(struct lines *l, long last_n)
{
	off_t at = 0;

	for (l->at = l->n - 1; ; l->at--) {
		if ((l->f = open_file(l, l->at)) != NULL)
			at = seek_back(l->f, &last_n);
		if (last_n == 0 || l->at == 0)
			break;
		if (l->f != NULL)
			(void)fclose(l->f);
		l->f = NULL;
	}
	if (l->f != NULL)
		(void)fseeko(l->f, at, SEEK_SET);
}

/* The first file that may hold a line of this time or later. */
static int
first_file(const struct lines *l)
{
	char day[32];
	const char *s = l->match != NULL ? l->match->since : "";
	int i;

	if (s[0] == '\0')
		return 0;
	/* 2026-11-24T10:15 as a file's name begins: 20261124T1015 */
	(void)snprintf(day, sizeof day, "%.4s%.2s%.2sT%.2s%.2s", s, s + 5,
	    s + 8, s + 11, s + 14);
	for (i = 0; i < l->n - 1; i++)
		if (strncmp(l->file[i], day, strlen(day)) >= 0)
			break;
	return i;
}

static void
start_at(struct lines *l, int file)
{
	if (l->f != NULL)
		(void)fclose(l->f);
	l->at = file;
	l->f = open_file(l, file);
}

int
lines_open(struct lines *l, const char *dir, long last_n,
    const struct lines_match *match)
{
	long seen = 0;

	memset(l, 0, sizeof *l);
	l->match = match;
	(void)strlcpy(l->dir, dir, sizeof l->dir);
	l->n = lines_list(dir, &l->file);
	if (l->n == 0)
		return -1;
	if (last_n >= 0 && (match == NULL || (match->since[0] == '\0' &&
	    !match->has_regex))) {
		start_near_end(l, last_n);
		return 0;
	}
	start_at(l, first_file(l));
	if (last_n < 0)
		return 0;
	while (lines_next(l))
		seen++;
	start_at(l, first_file(l));
	for (; seen > last_n; seen--)
		(void)lines_next(l);
	return 0;
}

bool
lines_next(struct lines *l)
{
	for (;;) {
		l->len = l->f != NULL ? getline(&l->line, &l->cap, l->f) : -1;
		if (l->len > 0) {
			if (l->len > LINES_STAMP && l->line[0] == '2' &&
			    l->line[LINES_STAMP - 1] == 'Z')
				(void)strlcpy(l->stamp, l->line,
				    sizeof l->stamp);
			if (lines_fits(l->match, l->line, (size_t)l->len))
				return true;
			continue;
		}
		if (l->at + 1 >= l->n) {
			if (l->f != NULL)
				clearerr(l->f);
			return false;
		}
		start_at(l, l->at + 1);
	}
}

void
lines_close(struct lines *l)
{
	if (l->f != NULL)
		(void)fclose(l->f);
	free(l->file);
	free(l->line);
	memset(l, 0, sizeof *l);
}

int
ctl_each_line(const char *dir, ctl_line *each, void *arg)
{
	return ctl_last_lines(dir, -1, each, arg);
}

int
ctl_last_lines(const char *dir, long n, ctl_line *each, void *arg)
{
	struct lines l;

	if (lines_open(&l, dir, n, NULL) < 0)
		return -1;
	while (lines_next(&l))
		each(arg, l.line, (size_t)l.len);
	lines_close(&l);
	return 0;
}
