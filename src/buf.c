/* SPDX-License-Identifier: ISC */
/*
 * Bounded bytes in the caller's memory. The only place that compares lengths
 * with room.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"

void
buf_init(struct buf *b, void *mem, size_t cap)
{
	b->base = mem;
	b->cap = cap;
	buf_reset(b);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->overflow = false;
}

size_t
buf_room(const struct buf *b)
{
	return b->cap - b->len;
}

char *
buf_claim(struct buf *b, size_t n)
{
	char *at = b->base + b->len;

	if (n > buf_room(b)) {
		b->overflow = true;
		return NULL;
	}
	b->len += n;
	return at;
}

/* memmove: in place of memcpy the compiler, told to be small, puts a string
 * instruction, which is slow to begin and meets short pieces here. */
void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	char *at = buf_claim(b, n);

	if (at != NULL && n > 0)
		memmove(at, bytes, n);
}

void
buf_putc(struct buf *b, char c)
{
	char *at = buf_claim(b, 1);

	if (at != NULL)
		*at = c;
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof text) {
		b->overflow = true;
		return;
	}
	buf_put(b, text, (size_t)n);
}

void
buf_consume(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->base, b->base + n, b->len - n);
	b->len -= n;
}

char *
buf_cstr(struct buf *b)
{
	if (b->cap == 0) {
		b->overflow = true;
		return b->base;
	}
	if (b->len == b->cap) {
		b->len--;
		b->overflow = true;
	}
	b->base[b->len] = '\0';
	return b->base;
}

static bool
is_within_char(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

void
buf_fit(char *dst, size_t cap, const char *text)
{
	static const char dots[] = "...";
	size_t n = strlen(text), cut;

	if (n < cap || cap <= sizeof dots) {
		(void)strlcpy(dst, text, cap);
		return;
	}
	n = cap - sizeof dots;
	for (cut = n; cut > n - n / 4 && text[cut] != ' ';)
		cut--;
	if (text[cut] == ' ')
		n = cut;
	while (n > 0 && is_within_char(text[n]))
		n--;
	memcpy(dst, text, n);
	memcpy(dst + n, dots, sizeof dots);
}
