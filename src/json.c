/* SPDX-License-Identifier: ISC */
/*
 * The reader: the grammar is json_check's, the tokens are jsmn's, the
 * meaning of values is here. The only file that includes jsmn.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "json.h"
#include "json_check.h"

_Static_assert(sizeof(struct json_tok) == sizeof(jsmntok_t),
    "json_tok has jsmn's size");

static const jsmntok_t *
token(const struct json *j, int i)
{
	if (i < 0 || i >= j->ntok)
		return NULL;
	return (const jsmntok_t *)(const void *)&j->tok[i];
}

int
json_parse(struct json *j, const char *text, size_t len,
    struct json_tok *tok, int ntok, char *err)
{
	jsmn_parser parser;
	const char *wrong;
	size_t at;
	int n;

	memset(j, 0, sizeof *j);
	if (len > INT_MAX) {
		snprintf(err, JSON_ERR_LEN, "too long");
		return -1;
	}
	wrong = json_check(text, len, JSON_MAX_DEPTH, &at);
	if (wrong != NULL) {
		snprintf(err, JSON_ERR_LEN, "%s at byte %zu", wrong, at);
		return -1;
	}
	jsmn_init(&parser);
	n = jsmn_parse(&parser, text, len, (jsmntok_t *)(void *)tok,
	    (unsigned)ntok);
	if (n <= 0) {		/* the grammar is right: so it is too much */
		snprintf(err, JSON_ERR_LEN, "more than %d values", ntok);
		return -1;
	}
	j->text = text;
	j->tok = tok;
	j->ntok = n;
	return 0;
}

enum json_kind
json_kind(const struct json *j, int value)
{
	const jsmntok_t *t = token(j, value);

	if (t == NULL)
		return JSON_ABSENT;
	if (t->type == JSMN_OBJECT)
		return JSON_OBJECT;
	if (t->type == JSMN_ARRAY)
		return JSON_ARRAY;
	if (t->type == JSMN_STRING)
		return JSON_STRING;
	switch (j->text[t->start]) {
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

static size_t
put_utf8(char *dst, unsigned long c)
{
	if (c < 0x80) {
		dst[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		dst[0] = (char)(0xc0 | c >> 6);
		dst[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		dst[0] = (char)(0xe0 | c >> 12);
		dst[1] = (char)(0x80 | (c >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | c >> 18);
	dst[1] = (char)(0x80 | (c >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (c >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static unsigned long
hex4(const char *p)
{
	char text[5] = { p[0], p[1], p[2], p[3], '\0' };

	return strtoul(text, NULL, 16);
}

/* One escape behind its backslash; the text was checked. Returns the bytes
 * read and stores those written. */
static size_t
unescape_one(const char *p, char *dst, size_t *put)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	unsigned long c;

	if (*p != 'u') {
		dst[0] = to[strchr(from, *p) - from];
		*put = 1;
		return 1;
	}
	c = hex4(p + 1);
	if (c < 0xd800 || c > 0xdfff) {
		*put = put_utf8(dst, c);
		return 5;
	}
	c = 0x10000 + ((c - 0xd800) << 10) + (hex4(p + 7) - 0xdc00);
	*put = put_utf8(dst, c);
	return 11;
}

/* Of a string token; -1 when it does not fit or holds a NUL. */
static int
unescape(const struct json *j, const jsmntok_t *t, char *dst, size_t cap)
{
	const char *p = j->text + t->start, *end = j->text + t->end;
	char bytes[4];
	size_t n = (size_t)(end - p), len = 0;

	if (n < cap && memchr(p, '\\', n) == NULL) {
		memmove(dst, p, n);	/* without escapes there is no NUL */
		len = n;
		p = end;
	}
	while (p < end) {
		if (*p == '\\') {
			p++;
			p += unescape_one(p, bytes, &n);
		} else {
			bytes[0] = *p++;
			n = 1;
		}
		if (bytes[0] == '\0' || len + n >= cap)
			return -1;
		memcpy(dst + len, bytes, n);
		len += n;
	}
	if (len >= cap)
		return -1;
	dst[len] = '\0';
	return 0;
}

static bool
text_is(const struct json *j, const jsmntok_t *t, const char *text)
{
	size_t n = (size_t)(t->end - t->start);
	char plain[256];

	if (memchr(j->text + t->start, '\\', n) == NULL)
		return n == strlen(text) &&
		    memcmp(j->text + t->start, text, n) == 0;
	return unescape(j, t, plain, sizeof plain) == 0 &&
	    strcmp(plain, text) == 0;
}

int
json_count(const struct json *j, int value)
{
	const jsmntok_t *t = token(j, value);

	if (t == NULL || (t->type != JSMN_OBJECT && t->type != JSMN_ARRAY))
		return 0;
	return t->size;
}

int
json_first(const struct json *j, int container)
{
	if (json_count(j, container) == 0)
		return -1;
	if (token(j, container)->type == JSMN_OBJECT)
		return container + 2;
	return container + 1;
}

int
json_next(const struct json *j, int container, int value)
{
	const jsmntok_t *c = token(j, container), *v = token(j, value);
	const jsmntok_t *t, *end = token(j, 0) + j->ntok;

	if (c == NULL || v == NULL)
		return -1;
	for (t = v + 1; t < end && t->start < v->end; t++)
		continue;
	if (t == end || t->start >= c->end)
		return -1;
	return value + (int)(t - v) + (c->type == JSMN_OBJECT);
}

int
json_get(const struct json *j, int object, const char *name)
{
	int v;

	if (json_kind(j, object) != JSON_OBJECT)
		return -1;
	for (v = json_first(j, object); v >= 0; v = json_next(j, object, v))
		if (text_is(j, token(j, v - 1), name))
			return v;
	return -1;
}

int
json_path(const struct json *j, int object, const char *path)
{
	char name[128];
	size_t n;

	for (;;) {
		n = strcspn(path, "/");
		if (n >= sizeof name)
			return -1;
		memcpy(name, path, n);
		name[n] = '\0';
		object = json_get(j, object, name);
		if (path[n] == '\0')
			return object;
		path += n + 1;
	}
}

int
json_name(const struct json *j, int value, char *dst, size_t cap)
{
	const jsmntok_t *t = token(j, value - 1);

	if (cap > 0)
		dst[0] = '\0';
	if (t == NULL || t->type != JSMN_STRING ||
	    unescape(j, t, dst, cap) < 0) {
		if (cap > 0)
			dst[0] = '\0';
		return -1;
	}
	return 0;
}

int
json_str(const struct json *j, int value, char *dst, size_t cap)
{
	const jsmntok_t *t = token(j, value);

	if (t != NULL && t->type == JSMN_STRING &&
	    unescape(j, t, dst, cap) == 0)
		return 0;
	if (cap > 0)
		dst[0] = '\0';
	return -1;
}

int
json_int(const struct json *j, int value, int64_t *dst)
{
	const jsmntok_t *t = token(j, value);
	char text[32], *end;
	long long n;
	size_t len;

	if (json_kind(j, value) != JSON_NUMBER)
		return -1;
	len = (size_t)(t->end - t->start);
	if (len >= sizeof text)
		return -1;
	memcpy(text, j->text + t->start, len);
	text[len] = '\0';
	errno = 0;
	n = strtoll(text, &end, 10);
	if (*end != '\0' || errno != 0)
		return -1;
	*dst = n;
	return 0;
}

int
json_bool(const struct json *j, int value, bool *dst)
{
	enum json_kind kind = json_kind(j, value);

	if (kind != JSON_TRUE && kind != JSON_FALSE)
		return -1;
	*dst = kind == JSON_TRUE;
	return 0;
}

bool
json_name_is(const struct json *j, int value, const char *text)
{
	const jsmntok_t *t = token(j, value - 1);

	return t != NULL && t->type == JSMN_STRING && text_is(j, t, text);
}

bool
json_is(const struct json *j, int value, const char *text)
{
	return json_kind(j, value) == JSON_STRING &&
	    text_is(j, token(j, value), text);
}

const char *
json_raw(const struct json *j, int value, size_t *len)
{
	const jsmntok_t *t = token(j, value);
	int quote;

	*len = 0;
	if (t == NULL)
		return "";
	quote = t->type == JSMN_STRING;
	*len = (size_t)t->end - (size_t)t->start + (quote ? 2 : 0);
	return j->text + t->start - quote;
}
