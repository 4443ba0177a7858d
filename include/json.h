/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_JSON_H
#define SVTREE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/*
 * JSON (RFC 8259). The reader is jsmn with the checks that jsmn leaves out:
 * structure, literals, numbers, escapes, UTF-8, depth, one root, nothing
 * behind it. Values are named by token index; 0 is the root, -1 is "absent",
 * and every reader takes -1 and says absent, so look-ups can be nested:
 * json_str(j, json_get(j, json_get(j, 0, "State"), "Status"), dst, sizeof dst)
 */
#define JSON_MAX_DEPTH	32
#define JSON_ERR_LEN	128

struct json_tok {		/* jsmn's token; only json.c looks inside */
	int	opaque[5];
};

struct json {
	const char	*text;
	struct json_tok	*tok;
	int		 ntok;
};

enum json_kind {
	JSON_ABSENT, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER,
	JSON_TRUE, JSON_FALSE, JSON_NULL
};

/*
 * Parses len bytes of text, which must outlive j, into at most ntok tokens.
 * Returns 0, or -1 with a reason in err (JSON_ERR_LEN bytes).
 */
int json_parse(struct json *j, const char *text, size_t len,
    struct json_tok *tok, int ntok, char *err);

enum json_kind json_kind(const struct json *j, int value);
/* The member of an object by exact name (the first of equal names), or -1. */
int json_get(const struct json *j, int object, const char *name);
/* json_get along names separated by '/': json_path(j, 0, "State/Status"). */
int json_path(const struct json *j, int object, const char *path);
/* Elements of an array or members of an object; 0 for anything else. */
int json_count(const struct json *j, int value);
/* First element (or member's value) and the one behind it, -1 at the end. */
int json_first(const struct json *j, int container);
int json_next(const struct json *j, int container, int value);
/* Copies the name of the member whose value is given. 0, or -1 too long. */
int json_name(const struct json *j, int value, char *dst, size_t cap);
/* Is this the name of the member whose value is given? */
bool json_name_is(const struct json *j, int value, const char *text);
/* The readers: 0, or -1 when absent, of another kind, or out of range (a
 * string that does not fit or holds a NUL included). dst is unescaped UTF-8
 * and NUL-terminated, and "" on failure. */
int json_str(const struct json *j, int value, char *dst, size_t cap);
int json_int(const struct json *j, int value, int64_t *dst);
int json_bool(const struct json *j, int value, bool *dst);
bool json_is(const struct json *j, int value, const char *text);
/* The raw text of a value (a string with its quotes) and its length. */
const char *json_raw(const struct json *j, int value, size_t *len);

/*
 * The writer puts commas by itself: it looks at the byte before. Bytes that
 * are no UTF-8 become U+FFFD. A NULL string is written as null.
 */
void json_open(struct buf *b, char bracket);		/* '{' or '[' */
void json_close(struct buf *b, char bracket);		/* '}' or ']' */
/* name: of bytes that need no escape. */
void json_key(struct buf *b, const char *name);
void json_put_str(struct buf *b, const char *s);
void json_put_strn(struct buf *b, const char *s, size_t n);
void json_put_int(struct buf *b, int64_t n);
void json_put_bool(struct buf *b, bool v);
void json_put_null(struct buf *b);
void json_put_raw(struct buf *b, const char *text, size_t n);
/* Wall time in microseconds since 1970 as RFC 3339 UTC with milliseconds;
 * 0 is written as null. */
void json_put_time(struct buf *b, int64_t wall_us);
/* key and value in one call */
void json_set_str(struct buf *b, const char *name, const char *s);
void json_set_int(struct buf *b, const char *name, int64_t n);
/* One that is not greater than 0 is none: null. */
void json_set_some(struct buf *b, const char *name, int64_t n);
void json_set_bool(struct buf *b, const char *name, bool v);
void json_set_time(struct buf *b, const char *name, int64_t wall_us);

#endif
