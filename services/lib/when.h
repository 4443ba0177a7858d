/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_WHEN_H
#define SVTREE_WHEN_H

#include <stdint.h>

/* RFC 3339 in UTC, as the supervisor writes it, to microseconds since 1970;
 * 0 when it is no such thing. */
int64_t when_parse(const char *rfc3339);

#endif
