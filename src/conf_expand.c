/* SPDX-License-Identifier: ISC */
/*
 * Values of an instance, NAME@INSTANCE: %i is INSTANCE, %p is NAME, %n is
 * both, %% is a '%'. In other services a '%' is a character like others.
 */
#include <string.h>

#include "buf.h"
#include "conf_private.h"

static bool
expand_one(struct conf_reader *rd, char c, struct buf *b)
{
	const struct conf_service *sv = rd->sv;

	switch (c) {
	case 'i':
		buf_puts(b, sv->instance);
		return true;
	case 'p':
		buf_put(b, sv->name, strcspn(sv->name, "@"));
		return true;
	case 'n':
		buf_puts(b, sv->logs != NULL ? sv->logs : sv->name);
		return true;
	case '%':
		buf_putc(b, '%');
		return true;
	default:
		return false;
	}
}

const char *
conf_expand(struct conf_reader *rd, const char *key, const char *value,
    char *mem, size_t cap)
{
	const char *p;
	struct buf b;

	if (rd->sv->instance == NULL || strchr(value, '%') == NULL)
		return value;
	buf_init(&b, mem, cap);
	for (p = value; *p != '\0'; p++) {
		if (*p != '%') {
			buf_putc(&b, *p);
		} else if (!expand_one(rd, *++p, &b)) {
			conf_error(rd, "%s: '%%%.1s' means nothing; in an "
			    "instance %%i, %%p, %%n and %%%% are right", key,
			    p);
			return NULL;
		}
	}
	if (b.len == cap || b.overflow) {
		conf_error(rd, "%s: too long", key);
		return NULL;
	}
	return buf_cstr(&b);
}
