/* SPDX-License-Identifier: ISC */
/*
 * One stream: what lies in its FIFO goes to its log, a bounded turn at a
 * time.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "oslog.h"
#include "svlog.h"

#define NARROW		(65536 - 4096)	/* a FIFO that is about full */
#define LEFTOVERS	64	/* turns for a FIFO that is given up */

bool
svlog_stream_has_bytes(const struct svlog_stream *s)
{
	int n = 0;

	return ioctl(s->fifo, FIONREAD, &n) == 0 && n > 0;
}

static char in[OSLOG_BATCH], mem[4 * OSLOG_BATCH];	/* of one turn */

/* Look, stamp, write, consume. */
static ssize_t
write_seen(struct svlog_stream *s, int64_t now)
{
	char stamp[SVLOG_STAMP];
	struct buf out;
	size_t taken;
	ssize_t got;
	bool open;

	got = oslog_peek(s->fifo, in);
	if (got <= 0)
		return got;
	svlog_stamp(stamp, now);
	buf_init(&out, mem, sizeof mem);
	open = s->file.open;
	taken = svlog_lines(&out, in, (size_t)got, &open,
	    s->file.conf.timestamps ? stamp : NULL);
	svlog_file_write(&s->file, out.base, out.len, now);
	if (oslog_consume(s->fifo, taken) < 0)
		log_warn("%s: consume %zu bytes", s->name, taken);
	return got;
}

size_t
svlog_stream_pump(struct svlog_stream *s)
{
	int64_t now = os_wall_us();
	ssize_t got = -1;

	svlog_file_open(&s->file, now);
	if (s->file.fd < 0 && (errno == EMFILE || errno == ENFILE)) {
		svlog_streams_close_files();
		svlog_file_open(&s->file, now);
	}
	if (!s->file.conf.timestamps)
		got = svlog_file_move(&s->file, s->fifo, in, now);
	if (got < 0)
		got = write_seen(s, now);
	if (got < 0)
		log_warn("%s: read its FIFO", s->name);
	if (got >= NARROW && !s->wide) {
		oslog_widen(s->fifo);
		s->wide = true;
	}
	return got > 0 ? (size_t)got : 0;
}

/* Lines of the two may mix, as those of two writers of one FIFO do. */
void
svlog_stream_pump_former(struct svlog_stream *s)
{
	int own = s->fifo;
	bool wide = s->wide;

	s->fifo = s->former;
	s->wide = true;		/* it stays as it is */
	(void)svlog_stream_pump(s);
	s->fifo = own;
	s->wide = wide;
}

static void
close_one(struct svlog_stream *s)
{
	int i;

	for (i = 0; i < LEFTOVERS && svlog_stream_has_bytes(s); i++)
		(void)svlog_stream_pump(s);
	(void)os_watch(s->fifo, 0, 0);
	(void)close(s->fifo);
	s->fifo = -1;
	s->wide = false;
}

void
svlog_stream_close(struct svlog_stream *s)
{
	close_one(s);
	if (s->former < 0)
		return;
	s->fifo = s->former;
	s->former = -1;
	close_one(s);
}
