/* SPDX-License-Identifier: ISC */
/*
 * The picture of svctl top.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl_screen.h"
#include "svctl_top.h"

#define HEAD_ROWS	2
#define FOOT_ROWS	2
#define WITH_WHY	100	/* columns that have room for it */
#define LINE_MAX_LEN	1024

int
top_list_rows(const struct top *t)
{
	int rows = t->rows - HEAD_ROWS - FOOT_ROWS;

	if (t->log)
		rows /= 2;
	return rows > 1 ? rows : 1;
}

static void
put_size(char *dst, size_t cap, uint64_t bytes)
{
	if (bytes == 0)
		(void)snprintf(dst, cap, "-");
	else if (bytes < UINT64_C(10) << 30)
		(void)snprintf(dst, cap, "%llu M",
		    (unsigned long long)(bytes >> 20));
	else
		(void)snprintf(dst, cap, "%.1f G", (double)bytes /
		    (double)(UINT64_C(1) << 30));
}

/* Text in a column of its own. */
static void
put_cell(FILE *f, const struct top *t, const char *text, int width,
    bool right)
{
	int n = ctl_columns(&t->t, text);

	if (right)
		ctl_pad(f, width - n);
	n = ctl_put(f, &t->t, text, width);
	if (!right)
		ctl_pad(f, width - n);
	(void)fputc(' ', f);
}

static void
draw_head(FILE *f, const struct top *t)
{
	uint64_t rss = 0;
	int i, up = 0, wanted = 0, permille = 0;
	char age[32], memory[32], text[256];

	for (i = 0; i < t->list.n; i++) {
		up += ctl_is_up(&t->list.sv[i]);
		wanted += ctl_is(t->list.sv[i].want, "up");
		rss += t->load[i].rss;
		if (t->load[i].permille > 0)
			permille += t->load[i].permille;
	}
	ctl_ago(age, sizeof age, t->list.sup.since);
	put_size(memory, sizeof memory, rss);
	(void)snprintf(text, sizeof text, "svtree %s, for %s; %d services, "
	    "%d wanted up, %d up; CPU %d %%, memory %s", t->list.sup.version,
	    age, t->list.n, wanted, up, permille / 10, memory);
	(void)ctl_put(f, &t->t, text, t->columns);
	screen_line(f);
	(void)fputs(ctl_hue(&t->t, HUE_BOLD), f);
	(void)fputs("  ", f);
	put_cell(f, t, "SERVICE", 25, false);
	put_cell(f, t, "STATE", 9, false);
	put_cell(f, t, "HEALTH", 8, false);
	put_cell(f, t, "FOR", 7, true);
	put_cell(f, t, "CPU", 5, true);
	put_cell(f, t, "MEMORY", 7, true);
	put_cell(f, t, "RST", 4, true);
	(void)fputs(t->columns >= WITH_WHY ? "WHY" : "", f);
	(void)fputs(ctl_hue(&t->t, HUE_NONE), f);
	screen_line(f);
}

static void
draw_row(FILE *f, const struct top *t, int i)
{
	const struct sv *sv = &t->list.sv[i];
	const char *glyph;
	enum hue hue = ctl_look(&t->t, sv, &glyph);
	char text[32], story[768];

	(void)fprintf(f, "%s%s%s%s", i == t->at ? ">" : " ",
	    ctl_hue(&t->t, hue), glyph, i == t->at ? ctl_hue(&t->t,
	    HUE_BOLD) : ctl_hue(&t->t, HUE_NONE));
	put_cell(f, t, sv->name, 25, false);
	(void)fputs(ctl_hue(&t->t, HUE_NONE), f);
	(void)fputs(ctl_hue(&t->t, hue), f);
	put_cell(f, t, sv->state, 9, false);
	put_cell(f, t, ctl_is(sv->health, "unknown") ? "-" : sv->health, 8,
	    false);
	(void)fputs(ctl_hue(&t->t, HUE_NONE), f);
	ctl_ago(text, sizeof text, sv->since);
	put_cell(f, t, text, 7, true);
	if (t->load[i].permille >= 0)
		(void)snprintf(text, sizeof text, "%d.%d",
		    t->load[i].permille / 10, t->load[i].permille % 10);
	else
		(void)snprintf(text, sizeof text, "-");
	put_cell(f, t, text, 5, true);
	put_size(text, sizeof text, t->load[i].rss);
	put_cell(f, t, text, 7, true);
	(void)snprintf(text, sizeof text, "%lld", (long long)sv->restarts);
	put_cell(f, t, text, 4, true);
	ctl_story(story, sizeof story, sv);
	if (t->columns >= WITH_WHY)
		(void)ctl_put(f, &t->t, story, t->columns - 76);
	screen_line(f);
}

struct tail {
	FILE	*f;
	const struct top *t;
};

static void
draw_log_line(void *arg, const char *line, size_t len)
{
	const struct tail *l = arg;
	char text[LINE_MAX_LEN];

	while (len > 0 && line[len - 1] == '\n')
		len--;
	(void)snprintf(text, sizeof text, "%.*s", (int)len, line);
	(void)ctl_put(l->f, &l->t->t, text, l->t->columns);
	screen_line(l->f);
}

static void
draw_log(FILE *f, const struct top *t, int rows)
{
	struct tail l = { f, t };
	char dir[1024];
	const struct sv *sv = &t->list.sv[t->at];

	(void)fprintf(f, "%slog of %s%s", ctl_hue(&t->t, HUE_DIM), sv->name,
	    ctl_hue(&t->t, HUE_NONE));
	screen_line(f);
	if (ctl_log_dir(t->c, sv->name, dir, sizeof dir) == 0)
		(void)ctl_last_lines(dir, rows - 1, draw_log_line, &l);
}

/* Why the one selected is as it is; what the keys do. */
static void
draw_foot(FILE *f, const struct top *t)
{
	char story[768] = "", text[900] = "";

	if (t->at < t->list.n) {
		ctl_story(story, sizeof story, &t->list.sv[t->at]);
		(void)snprintf(text, sizeof text, "%s: %s%s%s",
		    t->list.sv[t->at].name, t->list.sv[t->at].state,
		    story[0] != '\0' ? ", " : "", story);
	}
	(void)fprintf(f, "\033[%d;1H", t->rows - 1);
	(void)ctl_put(f, &t->t, text, t->columns - 1);
	(void)fprintf(f, "\033[%d;1H%s", t->rows, ctl_hue(&t->t,
	    t->message[0] != '\0' ? HUE_WARN : HUE_DIM));
	(void)ctl_put(f, &t->t, t->message[0] != '\0' ? t->message :
	    "q quit  r restart  s stop  u start  l log  by: n name c CPU m "
	    "memory", t->columns - 1);
	(void)fputs(ctl_hue(&t->t, HUE_NONE), f);
}

void
top_draw(struct top *t)
{
	FILE *f = screen_frame();
	int i, rows;

	if (f == NULL)
		return;
	screen_size(&t->columns, &t->rows);
	rows = top_list_rows(t);
	if (t->at < t->offset)
		t->offset = t->at;
	if (t->at >= t->offset + rows)
		t->offset = t->at - rows + 1;
	draw_head(f, t);
	for (i = t->offset; i < t->list.n && i < t->offset + rows; i++)
		draw_row(f, t, i);
	if (t->log && t->list.n > 0)
		draw_log(f, t, t->rows - HEAD_ROWS - FOOT_ROWS - (i -
		    t->offset));
	/* What is left of the picture before. */
	(void)fputs("\033[J", f);
	draw_foot(f, t);
	screen_show(f);
}
