/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_LINES_H
#define SVTREE_SVCTL_LINES_H

#include <sys/types.h>

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * The lines of one log: through its rotated files, oldest first, and current.
 */
#define LINES_NAME_LEN	64	/* of a file */
#define LINES_DIR_LEN	1024
#define LINES_STAMP	27	/* 2026-11-24T10:15:00.123456Z */

struct lines_match {		/* which of them */
	char	 since[LINES_STAMP + 8];	/* "" all */
	bool	 has_regex;
	regex_t	 regex;
};

struct lines {
	const struct lines_match *match;	/* NULL: every line */
	char	 dir[LINES_DIR_LEN];
	char	(*file)[LINES_NAME_LEN];
	int	 n, at;		/* at: the one that is read */
	FILE	*f;
	char	*line;		/* the present one, with its newline */
	size_t	 cap;
	ssize_t	 len;
	char	 stamp[LINES_STAMP + 1];	/* of this or an earlier one */
};

/* Starts at the first line, or at the last_n-th from the end (>= 0) of those
 * that match. 0, or -1 when there is no log. */
int lines_open(struct lines *l, const char *dir, long last_n,
    const struct lines_match *match);
/* The next line that matches; false at the end, where current stays open and
 * a later call goes on. */
bool lines_next(struct lines *l);
void lines_close(struct lines *l);
bool lines_fits(const struct lines_match *m, const char *line, size_t len);
/* File names of a log, current as the last; the caller frees. */
int lines_list(const char *dir, char (**file)[LINES_NAME_LEN]);

/* svctl_unpack.c: a file of a log, from its first line on; NULL when it cannot
 * be read. What is compressed is unpacked. */
FILE *lines_open_file(const char *dir, const char *name);
/* Is it the name of a file that svlog has closed? */
bool lines_is_rotated(const char *name);
/* The length of the name without .log, .log.gz, .log.zst. */
size_t lines_stem(const char *name);

#endif
