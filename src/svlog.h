/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVLOG_H
#define SVTREE_SVLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"
#include "conf.h"

/*
 * svlog's modules: lines (pure), one log directory with its rotated files,
 * the streams that flow into them, and the loop.
 */
#define SVLOG_STAMP	28	/* "2026-02-10T00:13:05.123456Z " */
#define SVLOG_PATH	1200

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

/* svlog_file.c: LOG/NAME/current */
struct svlog_file {
	const char *log_dir, *name;
	int	 fd;		/* of current, -1 */
	int64_t	 size;
	bool	 open;		/* its last byte is within a line */
	bool	 torn;		/* a killed forerunner may have left half of
				 * a line that comes again */
	bool	 squeeze;	/* rotated files may wait for compression */
	struct conf_log conf;
	uint64_t dropped;	/* bytes lost since the last good write */
	int	 error;		/* errno of that */
	int64_t	 looked_us;	/* when current was last compared by name */
	int64_t	 told_us;	/* when a loss was last told */
	int64_t	 rotated_us;	/* the time that the last one was named by */
};

void svlog_file_init(struct svlog_file *f, const char *log_dir,
    const char *name);
/* Opens current, anew when somebody took it away, so that f->open is true to
 * the file and its offset is at its end. */
void svlog_file_open(struct svlog_file *f, int64_t wall_us);
/* Appends whole lines (the last may go on later); never blocks, never fails:
 * what cannot be written is counted and told. */
void svlog_file_write(struct svlog_file *f, const char *bytes, size_t n,
    int64_t wall_us);
/* Moves a batch from the FIFO to current: unseen while its end is far, else
 * looked at in mem (OSLOG_BATCH bytes) and up to the end of a line. Returns
 * like oslog_move: after an error svlog_file_write has to do it. */
ssize_t svlog_file_move(struct svlog_file *f, int fifo, char *mem,
    int64_t wall_us);
void svlog_file_close(struct svlog_file *f);

/* svlog_rotated.c: its forerunners */
#define SVLOG_ROTATED	48	/* 20261124T101500.123456Z.log.zst */

/* How many there are; with name, that of the oldest which is not compressed,
 * "" when all are. */
int svlog_rotated(const struct svlog_file *f, char name[SVLOG_ROTATED]);
/* Renames current to the time. 0, or -1 with errno. */
int svlog_rotate(struct svlog_file *f, int64_t wall_us);
/* Deletes the oldest beyond keep and total. */
void svlog_trim(const struct svlog_file *f);
/* Deletes the oldest; errno stays. False when there is none. */
bool svlog_drop_oldest(const struct svlog_file *f);
void svlog_path(const struct svlog_file *f, const char *name, char *dst,
    size_t cap);

/* svlog_squeeze.c: a rotated file at a time is compressed by a child */

/* Starts on the oldest file of f, unless a child is at work: then f->squeeze
 * says that it waits. True when a child is at work. */
bool svlog_squeeze(struct svlog_file *f);
/* True when the child has ended, so that the next may begin. */
bool svlog_squeeze_reap(void);
void svlog_squeeze_forget(const struct svlog_file *f);
void svlog_squeeze_end(void);

/* svlog_stream.c: one FIFO and its log */
struct svlog_stream {
	char	name[CONF_NAME_MAX + 1];
	int	fifo;
	int	former;		/* one that lost its name under a writer, -1 */
	bool	wide;		/* the FIFO was made so */
	bool	seen;		/* in this scan */
	struct svlog_file file;
};

bool svlog_stream_has_bytes(const struct svlog_stream *s);
/* One bounded turn. Returns the bytes it had. */
size_t svlog_stream_pump(struct svlog_stream *s);
/* The same of the former FIFO. */
void svlog_stream_pump_former(struct svlog_stream *s);
/* Writes what the FIFOs still hold and closes them. */
void svlog_stream_close(struct svlog_stream *s);

/* svlog_streams.c: all FIFOs below the run directory */
struct svlog_dirs {
	const char *run, *log, *services;
};
void svlog_streams_open(const struct svlog_dirs *dirs);
/* Looks which FIFOs there are, and how their logs are to be written. */
void svlog_streams_scan(void);
/* One bounded turn of the stream that an event's tag names. */
void svlog_streams_turn(uint32_t tag);
/* A child has ended: the next file is compressed. */
void svlog_streams_squeeze(void);
/* Descriptors ran out: those of the files come back by need. */
void svlog_streams_close_files(void);
/* Writes what comes until deadline_ms, and what is there now until last_ms. */
void svlog_streams_drain(int64_t deadline_ms, int64_t last_ms);

#endif
