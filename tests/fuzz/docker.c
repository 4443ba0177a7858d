/* SPDX-License-Identifier: ISC */
/*
 * What an engine may say: a line of its events, the state of a container,
 * the frames of its output in pieces. Strings stay within their fields.
 */
#include <string.h>

#include "docker.h"
#include "fuzz.h"

#define ENDS(s)	(memchr((s), '\0', sizeof(s)) != NULL)

static size_t got;

static void
on_output(void *arg, const char *stamp, const char *bytes, size_t n)
{
	(void)arg;
	(void)bytes;
	PROMISE(strlen(stamp) <= DOCKER_STAMP_LEN, "stamp %s", stamp);
	got += n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	const char *text = (const char *)bytes + 1;
	struct docker_container c;
	struct docker_event e;
	struct docker_logs l = { .on_output = on_output };
	char err[1024];
	size_t at, part;

	if (n < 1)
		return 0;
	n--;
	if (docker_parse_event(text, n, &e) == 0)
		PROMISE(ENDS(e.action) && ENDS(e.name) && ENDS(e.id),
		    "event: a string has no end");
	if (docker_parse_container(text, n, &c, err) == 0)
		PROMISE(ENDS(c.id) && ENDS(c.status) && ENDS(c.health) &&
		    ENDS(c.policy) && ENDS(c.error) && ENDS(c.started),
		    "container: a string has no end");
	l.tty = bytes[0] & 1;
	got = 0;
	for (at = 0; at < n; at += part) {
		part = bytes[0] / 2u + 1;
		if (part > n - at)
			part = n - at;
		docker_logs_feed(&l, text + at, part);
	}
	PROMISE(got <= n, "%zu bytes of %zu", got, n);
	return 0;
}
