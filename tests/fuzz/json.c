/* SPDX-License-Identifier: ISC */
/*
 * Any bytes as JSON: every value of what is accepted can be asked for, and
 * strings come out ended.
 */
#include <string.h>

#include "fuzz.h"
#include "json.h"

static void
walk(const struct json *j, int v, int depth)
{
	char text[64];
	int64_t number;
	bool flag;
	int e;

	PROMISE(depth <= JSON_MAX_DEPTH, "deep");
	(void)json_str(j, v, text, sizeof text);
	PROMISE(memchr(text, '\0', sizeof text) != NULL, "no end");
	(void)json_int(j, v, &number);
	(void)json_bool(j, v, &flag);
	for (e = json_first(j, v); e >= 0; e = json_next(j, v, e)) {
		(void)json_name(j, e, text, sizeof text);
		walk(j, e, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct json_tok tok[200];
	char err[JSON_ERR_LEN];
	struct json j;

	if (json_parse(&j, (const char *)bytes, n, tok, 200, err) == 0)
		walk(&j, 0, 0);
	else
		PROMISE(memchr(err, '\0', sizeof err) != NULL && err[0] !=
		    '\0', "no reason");
	return 0;
}
