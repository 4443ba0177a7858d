/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_BUF_H
#define SVTREE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes in memory that the caller owns. Nothing here allocates. What does
 * not fit is left out whole and sets overflow; callers check it once, at the
 * end. Text put by buf_puts and buf_printf is not NUL-terminated.
 */
struct buf {
	char	*base;
	size_t	 len;
	size_t	 cap;
	bool	 overflow;
};

#define nitems(a)	(sizeof(a) / sizeof((a)[0]))

void buf_init(struct buf *b, void *mem, size_t cap);
void buf_reset(struct buf *b);
size_t buf_room(const struct buf *b);
/* Where n bytes go that count as written; NULL when they do not fit. */
char *buf_claim(struct buf *b, size_t n);
void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes and moves the rest to the front. */
void buf_consume(struct buf *b, size_t n);
/* Terminates the text with NUL (not counted in len) and returns it; the last
 * byte is given up for it when the buffer is full. */
char *buf_cstr(struct buf *b);

/* Copies a text into cap bytes. One that is too long ends behind a word, if
 * there is one in its last quarter, with "...", and within no character. */
void buf_fit(char *dst, size_t cap, const char *text);

#endif
