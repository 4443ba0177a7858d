/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_JSON_CHECK_H
#define SVTREE_JSON_CHECK_H

#include <stddef.h>

/* Whether len bytes are one JSON text (RFC 8259) and nothing else, nested at
 * most depth deep. NULL when they are, else what is wrong; *at is where. */
const char *json_check(const char *text, size_t len, int depth, size_t *at);

/* Length of the UTF-8 sequence at s (RFC 3629), 0 when it is none. */
size_t json_utf8(const unsigned char *s, size_t room);

#endif
