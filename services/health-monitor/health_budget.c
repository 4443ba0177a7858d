/* SPDX-License-Identifier: ISC */
/*
 * The restarts that were asked for, kept in a file of the state directory, so
 * that neither a new monitor nor a reboot gives them back. One line for each
 * service: its name and the wall times in milliseconds. Without the file, or
 * when it cannot be written, they are kept in memory alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "health.h"
#include "keep.h"
#include "log.h"
#include "os.h"
#include "self.h"

#define FILE_MAX	32768

static int
put_path(char *dst, size_t cap)
{
	char name[CONF_NAME_MAX + 16];

	(void)snprintf(name, sizeof name, "%.48s.restarts",
	    self_name("health-monitor"));
	return keep_path(name, dst, cap);
}

/* One line: NAME TIME...; what is no such thing is left out. */
static void
read_line(char *text, int64_t now_ms, int64_t wall_ms)
{
	char *word = strsep(&text, " ");
	const char *wrong;
	struct target *t;
	int64_t at;

	if (word == NULL || (t = targets_find(word)) == NULL)
		return;
	t->ladder.n = 0;
	while ((word = strsep(&text, " ")) != NULL &&
	    t->ladder.n < LADDER_RESTARTS) {
		at = strtonum(word, 1, INT64_MAX / 2, &wrong);
		if (wrong != NULL)
			return;
		/* A clock that was set back makes no time to come. */
		t->ladder.restart_ms[t->ladder.n++] =
		    at > wall_ms ? now_ms : now_ms - (wall_ms - at);
	}
}

void
budget_load(void)
{
	static char text[FILE_MAX];
	int64_t now = os_now_ms(), wall = os_wall_us() / 1000;
	char path[KEEP_PATH_MAX], *rest = text, *row;

	if (put_path(path, sizeof path) < 0 ||
	    keep_read(path, text, sizeof text) < 0)
		return;
	while ((row = strsep(&rest, "\n")) != NULL)
		read_line(row, now, wall);
}

static void
put_all(struct buf *b)
{
	int64_t now = os_now_ms(), wall = os_wall_us() / 1000;
	const struct ladder *l;
	int i, k;

	for (i = 0; i < targets_count(); i++) {
		l = &targets_get(i)->ladder;
		if (l->n == 0)
			continue;
		buf_puts(b, targets_get(i)->conf->name);
		for (k = 0; k < l->n; k++)
			buf_printf(b, " %lld", (long long)(wall -
			    (now - l->restart_ms[k])));
		buf_putc(b, '\n');
	}
}

void
budget_save(void)
{
	static char text[FILE_MAX];
	static bool said;
	char path[KEEP_PATH_MAX];
	struct buf b;

	if (put_path(path, sizeof path) < 0)
		return;
	buf_init(&b, text, sizeof text);
	put_all(&b);
	if (keep_write(path, b.base, b.len) == 0 || said)
		return;
	said = true;
	log_warn("keep the restarts in %s", path);
}
