/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_SCREEN_H
#define SVTREE_SVCTL_SCREEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * A terminal that is drawn over as a whole: raw keys in, frames out. Restored
 * by screen_close, which signals that end the program lead to as well.
 */
enum {
	KEY_NONE = -1, KEY_END = -2,	/* time is up; no more keys */
	KEY_UP = 256, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME,
	KEY_LAST, KEY_ESCAPE
};

/* 0, or -1 when standard input and output are no terminal. */
int screen_open(void);
void screen_close(void);
void screen_size(int *columns, int *rows);
/* The next key; KEY_NONE after timeout_ms, on a resize, or as soon as
 * other_fd (-1 none) can be read. */
int screen_key(int other_fd, int timeout_ms);

/* A frame: what is printed to it appears at once with screen_show. */
FILE *screen_frame(void);
void screen_line(FILE *frame);	/* ends a line */
void screen_show(FILE *frame);

#endif
