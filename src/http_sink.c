/* SPDX-License-Identifier: ISC */
/*
 * Bytes of an answer, bounded. A body is cut at its end; a line longer than
 * HTTP_LINE_MAX is left out whole, and the next is read as if it had not
 * been there. Knows neither HTTP nor where the bytes come from.
 */
#include <stdlib.h>
#include <string.h>

#include "http_sink.h"

#define FIRST_CAP	1024

/* Makes *mem at least need bytes long. */
static int
grow(char **mem, size_t *cap, size_t need)
{
	size_t more = *cap > 0 ? *cap : FIRST_CAP;
	char *p;

	while (more < need)
		more *= 2;
	if (more == *cap)
		return 0;
	if ((p = realloc(*mem, more)) == NULL)
		return -1;
	*mem = p;
	*cap = more;
	return 0;
}

int
sink_body(struct sink *s, const char *bytes, size_t n)
{
	if (n > s->max - s->len) {
		n = s->max - s->len;
		s->cut = true;
	}
	if (grow(&s->body, &s->cap, s->len + n + 1) < 0)
		return -1;
	(void)memcpy(s->body + s->len, bytes, n);
	s->len += n;
	s->body[s->len] = '\0';
	return s->cut ? -1 : 0;
}

static int
keep(struct sink *s, const char *bytes, size_t n)
{
	if (s->skipping || n == 0)
		return 0;
	if (s->text_len + n > HTTP_LINE_MAX) {
		s->skipping = true;
		return 0;
	}
	if (grow(&s->text, &s->text_cap, s->text_len + n) < 0)
		return -1;
	(void)memcpy(s->text + s->text_len, bytes, n);
	s->text_len += n;
	return 0;
}

int
sink_lines(struct sink *s, const char *bytes, size_t n)
{
	const char *end;
	size_t part;

	if (s->raw && !s->muted) {
		s->handed = true;
		s->line(s->arg, bytes, n);
		return 0;
	}
	while (n > 0) {
		end = memchr(bytes, '\n', n);
		part = end != NULL ? (size_t)(end - bytes) : n;
		if (keep(s, bytes, part) < 0)
			return -1;
		if (end == NULL)
			break;
		sink_end(s);
		bytes += part + 1;
		n -= part + 1;
	}
	return 0;
}

void
sink_end(struct sink *s)
{
	if (!s->skipping && !s->muted && s->text_len > 0) {
		s->handed = true;
		s->line(s->arg, s->text, s->text_len);
	}
	s->skipping = false;
	s->text_len = 0;
}

void
sink_free(struct sink *s)
{
	free(s->body);
	free(s->text);
}
