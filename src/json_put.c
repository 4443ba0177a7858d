/* SPDX-License-Identifier: ISC */
/*
 * The writer. A comma is due when the byte before ends a value; that is all
 * the state there is.
 */
#include <string.h>
#include <time.h>

#include "json.h"
#include "json_check.h"

#define YEAR_10000_S	INT64_C(253402300800)

static bool
is_comma_due(const struct buf *b)
{
	char last;

	if (b->len == 0)
		return false;
	last = b->base[b->len - 1];
	return last != '{' && last != '[' && last != ':' && last != ',' &&
	    last != '\0' && last != '\n';
}

static void
comma(struct buf *b)
{
	if (is_comma_due(b))
		buf_putc(b, ',');
}

void
json_open(struct buf *b, char bracket)
{
	comma(b);
	buf_putc(b, bracket);
}

void
json_close(struct buf *b, char bracket)
{
	buf_putc(b, bracket);
}

/* "TEXT" of bytes that may stand as they are; tail behind it, or '\0'. */
static void
put_quoted(struct buf *b, const char *text, size_t n, char tail)
{
	bool due = is_comma_due(b);
	size_t more = tail != '\0';
	char *at = buf_claim(b, n + 2 + more + due);

	if (at == NULL)
		return;
	if (due)
		*at++ = ',';
	*at = '"';
	memmove(at + 1, text, n);
	at[n + 1] = '"';
	if (more)
		at[n + 2] = tail;
}

void
json_key(struct buf *b, const char *name)
{
	put_quoted(b, name, strlen(name), ':');
}

void
json_put_str(struct buf *b, const char *s)
{
	if (s == NULL)
		json_put_null(b);
	else
		json_put_strn(b, s, strlen(s));
}

/* Bytes that may stand as they are; 256 bits, looked up. */
static size_t
plain(const unsigned char *s, size_t n)
{
	/* 0x20 to 0x7e without the quote and the backslash */
	static const uint32_t good[8] = { 0, 0xfffffffb, 0xefffffff,
	    0x7fffffff, 0, 0, 0, 0 };
	size_t i = 0;

	while (i < n && (good[s[i] >> 5] >> (s[i] & 31) & 1) != 0)
		i++;
	return i;
}

static size_t
put_special(struct buf *b, const unsigned char *s, size_t n)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = s[0] == '\0' ? NULL : strchr(from, s[0]);
	size_t len;

	if (at != NULL) {
		buf_printf(b, "\\%c", to[at - from]);
		return 1;
	}
	if (s[0] < 0x20 || s[0] == 0x7f) {
		buf_printf(b, "\\u%04x", s[0]);
		return 1;
	}
	len = json_utf8(s, n);
	if (len == 0) {
		buf_puts(b, "\xef\xbf\xbd");
		return 1;
	}
	buf_put(b, s, len);
	return len;
}

void
json_put_strn(struct buf *b, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = plain(p, n);

	if (len == n) {
		put_quoted(b, s, n, '\0');
		return;
	}
	comma(b);
	buf_putc(b, '"');
	for (; n > 0; len = plain(p, n)) {
		buf_put(b, p, len);
		if (len == 0)
			len = put_special(b, p, n);
		p += len;
		n -= len;
	}
	buf_putc(b, '"');
}

void
json_put_int(struct buf *b, int64_t n)
{
	char text[24], *p = text + sizeof text;
	uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

	comma(b);
	do
		*--p = (char)('0' + left % 10);
	while ((left /= 10) > 0);
	if (n < 0)
		*--p = '-';
	buf_put(b, p, (size_t)(text + sizeof text - p));
}

void
json_put_bool(struct buf *b, bool v)
{
	comma(b);
	buf_puts(b, v ? "true" : "false");
}

void
json_put_null(struct buf *b)
{
	comma(b);
	buf_puts(b, "null");
}

void
json_put_raw(struct buf *b, const char *text, size_t n)
{
	comma(b);
	buf_put(b, text, n);
}

static void
digits(char *dst, int n, int64_t value)
{
	for (; n > 0; value /= 10)
		dst[--n] = (char)('0' + value % 10);
}

/* The calendar is asked once a day; the rest is arithmetic. */
void
json_put_time(struct buf *b, int64_t wall_us)
{
	static char text[] = "\"0000-00-00T00:00:00.000Z\"";
	static int64_t day = -1;
	time_t s = (time_t)(wall_us / 1000000);
	struct tm tm;

	if (wall_us <= 0 || s >= YEAR_10000_S) {
		json_put_null(b);
		return;
	}
	if (s / 86400 != day) {
		(void)gmtime_r(&s, &tm);
		day = s / 86400;
		digits(text + 1, 4, tm.tm_year + 1900);
		digits(text + 6, 2, tm.tm_mon + 1);
		digits(text + 9, 2, tm.tm_mday);
	}
	digits(text + 12, 2, s / 3600 % 24);
	digits(text + 15, 2, s / 60 % 60);
	digits(text + 18, 2, s % 60);
	digits(text + 21, 3, wall_us / 1000 % 1000);
	comma(b);
	buf_put(b, text, sizeof text - 1);
}

void
json_set_str(struct buf *b, const char *name, const char *s)
{
	json_key(b, name);
	json_put_str(b, s);
}

void
json_set_int(struct buf *b, const char *name, int64_t n)
{
	json_key(b, name);
	json_put_int(b, n);
}

void
json_set_some(struct buf *b, const char *name, int64_t n)
{
	json_key(b, name);
	if (n > 0)
		json_put_int(b, n);
	else
		json_put_null(b);
}

void
json_set_bool(struct buf *b, const char *name, bool v)
{
	json_key(b, name);
	json_put_bool(b, v);
}

void
json_set_time(struct buf *b, const char *name, int64_t wall_us)
{
	json_key(b, name);
	json_put_time(b, wall_us);
}
