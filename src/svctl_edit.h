/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_EDIT_H
#define SVTREE_SVCTL_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "svctl.h"

#define EDIT_MAX	16384	/* bytes of a definition */

/* Sets a key in the text of a service.conf: in its line, commented out or
 * not, else in a new line at the head of its section; all comments stay.
 * Pure. -1: no room. */
int edit_set(char *text, size_t cap, const char *section, const char *key,
    const char *value);

/* Writes a whole file beside and puts it in place; makes directories above
 * it. 0, or -1 told to standard error. */
int edit_write(const char *path, const char *text, int mode);
int edit_mkdirs(const char *path);
/* 0, or -1 with errno; NUL-terminated, cut at cap. */
int edit_read(const char *path, char *dst, size_t cap);

/* One question: y when --yes is given; n when nobody is there to ask. */
bool ask_yes(const struct ctl *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A line of answer, "" when nobody is there. */
void ask_line(const struct ctl *c, const char *question, char *dst,
    size_t cap);

#endif
