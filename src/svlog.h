/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVLOG_H
#define SVTREE_SVLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"

/*
 * svlog's modules: lines (pure), one log directory, the loop.
 */
#define SVLOG_STAMP	28	/* "2026-02-10T00:13:05.123456Z " */

/* svlog_line.c */

/* The stamp of a moment, SVLOG_STAMP bytes, no NUL. */
void svlog_stamp(char *dst, int64_t wall_us);
/*
 * Copies n bytes to out with the stamp (NULL: none) before each line, as far
 * as out has room; *open says whether the byte before was within a line, and
 * is kept up to date. Returns the bytes of in that were taken.
 */
size_t svlog_lines(struct buf *out, const char *in, size_t n, bool *open,
    const char *stamp);

/* svlog_file.c: LOG/NAME/current and its rotated forerunners */
struct svlog_file {
	char	 dir[1024];
	int	 fd;		/* of current, -1 */
	int64_t	 size;
	bool	 open;		/* its last byte is within a line */
	struct conf_log conf;
	uint64_t dropped;	/* bytes lost since the last good write */
	int	 error;		/* errno of that */
	int64_t	 looked_us;	/* when current was last compared by name */
	int64_t	 told_us;	/* when a loss was last told */
};

void svlog_file_init(struct svlog_file *f, const char *log_dir,
    const char *name);
/* Opens current, anew when somebody took it away, so that f->open is true to
 * the file. */
void svlog_file_open(struct svlog_file *f, int64_t wall_us);
/* Appends whole lines (the last may go on later); never blocks, never fails:
 * what cannot be written is counted and told. */
void svlog_file_write(struct svlog_file *f, const char *bytes, size_t n,
    int64_t wall_us);
/* Deletes the oldest rotated files beyond keep and total. */
void svlog_file_trim(const struct svlog_file *f);
void svlog_file_close(struct svlog_file *f);

#endif
