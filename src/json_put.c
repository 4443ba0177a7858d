/* SPDX-License-Identifier: ISC */
/*
 * The writer. A comma is due when the byte before ends a value; that is all
 * the state there is.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json.h"
#include "json_check.h"

static void
comma(struct buf *b)
{
	char last;

	if (b->len == 0)
		return;
	last = b->base[b->len - 1];
	if (last != '{' && last != '[' && last != ':' && last != ',' &&
	    last != '\0' && last != '\n')
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

void
json_key(struct buf *b, const char *name)
{
	json_put_str(b, name);
	buf_putc(b, ':');
}

void
json_put_str(struct buf *b, const char *s)
{
	if (s == NULL)
		json_put_null(b);
	else
		json_put_strn(b, s, strlen(s));
}

/* Bytes that may stand as they are. */
static size_t
plain(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' &&
	    s[i] != '\\')
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
	size_t len;

	comma(b);
	buf_putc(b, '"');
	while (n > 0) {
		len = plain(p, n);
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
	comma(b);
	buf_printf(b, "%lld", (long long)n);
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

void
json_put_time(struct buf *b, int64_t wall_us)
{
	time_t s = (time_t)(wall_us / 1000000);
	char date[32];
	struct tm tm;

	if (wall_us == 0 || gmtime_r(&s, &tm) == NULL) {
		json_put_null(b);
		return;
	}
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	comma(b);
	buf_printf(b, "\"%s.%03dZ\"", date, (int)(wall_us / 1000 % 1000));
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
