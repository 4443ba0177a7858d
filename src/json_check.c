/* SPDX-License-Identifier: ISC */
/*
 * The grammar of JSON, checked before jsmn splits the text into tokens:
 * jsmn alone takes {"a" 1,} for an object. Keeps nothing and builds nothing.
 */
#include <stdbool.h>
#include <string.h>

#include "json_check.h"

struct check {
	const char	*p, *end;
	int		 depth;
	const char	*wrong;
};

static bool value(struct check *c);

static bool
fail(struct check *c, const char *what)
{
	c->wrong = what;
	return false;
}

static void
blanks(struct check *c)
{
	while (c->p < c->end && (*c->p == ' ' || *c->p == '\t' ||
	    *c->p == '\n' || *c->p == '\r'))
		c->p++;
}

static bool
next_is(struct check *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static size_t
digits(struct check *c)
{
	const char *from = c->p;

	while (c->p < c->end && *c->p >= '0' && *c->p <= '9')
		c->p++;
	return (size_t)(c->p - from);
}

static bool
number(struct check *c)
{
	next_is(c, '-');
	if (!next_is(c, '0') && digits(c) == 0)
		return fail(c, "not a number");
	if (next_is(c, '.') && digits(c) == 0)
		return fail(c, "no digit after the point");
	if (next_is(c, 'e') || next_is(c, 'E')) {
		if (!next_is(c, '+'))
			next_is(c, '-');
		if (digits(c) == 0)
			return fail(c, "no digit in the exponent");
	}
	return true;
}

static int
hex4(const char *p, const char *end)
{
	int i, n = 0;

	if (end - p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		const char *all = "0123456789abcdef0123456789ABCDEF";
		const char *at = p[i] == '\0' ? NULL : strchr(all, p[i]);

		if (at == NULL)
			return -1;
		n = n * 16 + (int)(at - all) % 16;
	}
	return n;
}

/* Behind a backslash. A surrogate has to be half of a pair. */
static bool
escape(struct check *c)
{
	int unit;

	if (c->p == c->end)
		return fail(c, "text ends in a string");
	if (*c->p != 'u') {
		if (*c->p == '\0' || strchr("\"\\/bfnrt", *c->p) == NULL)
			return fail(c, "unknown escape");
		c->p++;
		return true;
	}
	unit = hex4(++c->p, c->end);
	if (unit < 0)
		return fail(c, "bad \\u escape");
	c->p += 4;
	if (unit >= 0xdc00 && unit <= 0xdfff)
		return fail(c, "half a surrogate pair");
	if (unit >= 0xd800 && unit <= 0xdbff) {
		if (!next_is(c, '\\') || !next_is(c, 'u'))
			return fail(c, "half a surrogate pair");
		unit = hex4(c->p, c->end);
		if (unit < 0xdc00 || unit > 0xdfff)
			return fail(c, "half a surrogate pair");
		c->p += 4;
	}
	return true;
}

size_t
json_utf8(const unsigned char *s, size_t room)
{
	size_t i, n;

	if (room == 0)
		return 0;
	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > room)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Over what may stand in a string as it is, ASCII only. */
static void
ascii(struct check *c)
{
	const char *p = c->p, *end = c->end;

	while (p < end && (unsigned char)*p >= 0x20 && *p != '"' &&
	    *p != '\\' && (unsigned char)*p < 0x80)
		p++;
	c->p = p;
}

static bool
string(struct check *c)
{
	size_t n;

	if (!next_is(c, '"'))
		return fail(c, "a string is missing");
	while (ascii(c), c->p < c->end && *c->p != '"') {
		if (next_is(c, '\\')) {
			if (!escape(c))
				return false;
			continue;
		}
		if ((unsigned char)*c->p < 0x20)
			return fail(c, "control character in a string");
		n = json_utf8((const unsigned char *)c->p,
		    (size_t)(c->end - c->p));
		if (n == 0)
			return fail(c, "not UTF-8");
		c->p += n;
	}
	if (!next_is(c, '"'))
		return fail(c, "text ends in a string");
	return true;
}

static bool
member(struct check *c)
{
	blanks(c);
	if (!string(c))
		return false;
	blanks(c);
	if (!next_is(c, ':'))
		return fail(c, "':' is missing");
	return value(c);
}

/* Behind the opening bracket; each reads one element. */
static bool
elements(struct check *c, char close, bool (*each)(struct check *))
{
	if (--c->depth < 0)
		return fail(c, "nested too deep");
	blanks(c);
	if (!next_is(c, close)) {
		do {
			if (!each(c))
				return false;
			blanks(c);
		} while (next_is(c, ','));
		if (!next_is(c, close))
			return fail(c, "',' or the closing bracket is missing");
	}
	c->depth++;
	return true;
}

static bool
literal(struct check *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return fail(c, "no value");
	c->p += n;
	return true;
}

static bool
value(struct check *c)
{
	blanks(c);
	if (c->p == c->end)
		return fail(c, "text ends too early");
	switch (*c->p) {
	case '{':
		c->p++;
		return elements(c, '}', member);
	case '[':
		c->p++;
		return elements(c, ']', value);
	case '"':
		return string(c);
	case 't':
		return literal(c, "true");
	case 'f':
		return literal(c, "false");
	case 'n':
		return literal(c, "null");
	default:
		return number(c);
	}
}

const char *
json_check(const char *text, size_t len, int depth, size_t *at)
{
	struct check c = { text, text + len, depth, NULL };

	if (value(&c)) {
		blanks(&c);
		if (c.p < c.end)
			fail(&c, "something stands behind the value");
	}
	*at = (size_t)(c.p - text);
	return c.wrong;
}
