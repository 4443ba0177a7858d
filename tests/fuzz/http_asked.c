/* SPDX-License-Identifier: ISC */
/* The strict second reading of a request and of its answer. */
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "http_asked.h"

static int
hex(int c)
{
	static const char digits[] = "0123456789abcdef";
	const char *d = c != '\0' ? strchr(digits, c | 0x20) : NULL;

	return d != NULL && (c < 'A' || c > 'Z' || c <= 'F') ?
	    (int)(d - digits) : -1;
}

/* The token as it is, or with any of its characters percent-encoded. */
static bool
has_token(const char *at, const char *end)
{
	static const char token[] = ASKED_TOKEN;
	size_t i = 0;
	int c;

	for (; at < end && token[i] != '\0'; at++, i++) {
		c = (unsigned char)*at;
		if (c == '%' && end - at > 2 && hex(at[1]) >= 0 &&
		    hex(at[2]) >= 0) {
			c = hex(at[1]) << 4 | hex(at[2]);
			at += 2;
		}
		if (c != token[i])
			return false;
	}
	return token[i] == '\0';
}

/* In Base64 the token has one of three forms, by where it begins; the first
 * and the last digit of a form may depend on the neighbours. */
static bool
shows_token(const char *at, const char *end)
{
	static const char *const coded[] = {
		"MDEyMzQ1Njc4OWFiY2Rl",	/* 0... */
		"AxMjM0NTY3ODlhYmNkZ",	/* ?0... */
		"wMTIzNDU2Nzg5YWJjZGV",	/* ??0... */
	};
	size_t i, n;

	for (; at < end; at++) {
		if (has_token(at, end))
			return true;
		for (i = 0; i < 3; i++) {
			n = strlen(coded[i]);
			if ((size_t)(end - at) >= n &&
			    memcmp(at, coded[i], n) == 0)
				return true;
		}
	}
	return false;
}

static void
copy(char *dst, size_t cap, const char *at, const char *end)
{
	size_t n;

	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	end = at + strnlen(at, (size_t)(end - at));	/* as the library */
	while (at < end && strchr(" \t\r", end[-1]) != NULL)
		end--;
	n = (size_t)(end - at) < cap ? (size_t)(end - at) : cap - 1;
	memcpy(dst, at, n);
	dst[n] = '\0';
}

static bool
is_called(const char *line, const char *end, const char *name)
{
	size_t n = strlen(name);

	if ((size_t)(end - line) <= n || strncasecmp(line, name, n) != 0)
		return false;
	for (line += n; line < end && (*line == ' ' || *line == '\t'); line++)
		;
	return line < end && *line == ':';
}

static void
read_header(struct asked *a, const char *line, const char *end)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	char text[32];

	if (colon == NULL)
		return;
	if (is_called(line, end, "host")) {
		a->hosts++;
		copy(a->host, sizeof a->host, colon + 1, end);
	} else if (is_called(line, end, "origin")) {
		a->origins++;
		copy(a->origin, sizeof a->origin, colon + 1, end);
	} else if (is_called(line, end, "sec-fetch-site")) {
		copy(a->site, sizeof a->site, colon + 1, end);
	} else if (is_called(line, end, "transfer-encoding")) {
		a->coded = true;
	} else if (is_called(line, end, "content-length")) {
		a->lengths++;
		copy(text, sizeof text, colon + 1, end);
		a->length = strspn(text, "0123456789") == strlen(text) ?
		    strtol(text, NULL, 10) : -1;
	}
}

void
asked_read(struct asked *a, const char *bytes, size_t n)
{
	const char *at = bytes, *end = bytes + n, *eol;
	bool first = true;

	*a = (struct asked){ .length = -1, .why = "" };
	a->shows_token = shows_token(bytes, end);
	while (at < end && (*at == '\r' || *at == '\n'))
		at++;
	for (; at < end; at = eol + 1) {
		if ((eol = memchr(at, '\n', (size_t)(end - at))) == NULL)
			eol = end;
		if (first && *at == '\0')
			continue;	/* an empty line to libmicrohttpd */
		if (first)
			a->post = eol - at > 5 && memcmp(at, "POST", 4) == 0 &&
			    strchr(" \t", at[4]) != NULL;	/* or NUL */
		else if (eol == at || (eol == at + 1 && *at == '\r') ||
		    *at == ':' || *at == '\0')	/* to libmicrohttpd 0.9.75 */
			return;
		else if (*at == ' ' || *at == '\t')
			a->folded = true;
		else
			read_header(a, at, eol);
		first = false;
	}
}

/* Names of the machine itself, those that tests/fuzz may use. */
static bool
is_own_host(const char *host)
{
	static const char *const own[] = { "localhost", "127.0.0.1", "[::1]",
	    "::1", "host.docker.internal", "gateway.docker.internal",
	    "host.containers.internal", "host.lima.internal",
	    "host.orb.internal", "[localhost]", "[127.0.0.1]" };
	size_t i, n;

	for (i = 0; i < sizeof own / sizeof own[0]; i++) {
		n = strlen(own[i]);
		if (strncasecmp(host, own[i], n) == 0 &&
		    (host[n] == '\0' || host[n] == ':'))
			return true;
	}
	return false;
}

bool
asked_may_act(struct asked *a, bool wants_token)
{
	bool browser = a->origin[0] != '\0' || a->site[0] != '\0';

	if (!a->post)
		a->why = "it is no POST";
	else if (a->hosts > 1 || a->lengths > 1 || a->origins > 1)
		a->why = "a header stands twice";
	else if (a->folded)
		a->why = "a header goes on in the next line";
	else if (a->coded)
		a->why = "its length is coded";
	else if (a->lengths == 1 && (a->length < 0 || a->length > 4096))
		a->why = "its length is none";
	else if (a->host[0] != '\0' && !is_own_host(a->host))
		a->why = "it is for another host";
	else if (browser && !wants_token)
		a->why = "a page asks";
	else if (browser && (strncmp(a->origin, "http://", 7) != 0 ||
	    strcasecmp(a->origin + 7, a->host) != 0 || (a->site[0] != '\0' &&
	    strcmp(a->site, "same-origin") != 0)))
		a->why = "a foreign page asks";
	else if (wants_token && !a->shows_token)
		a->why = "the token is not there";
	else
		return true;
	return false;
}

int
asked_status(const char *reply, size_t n)
{
	static const char more[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *end, *length;
	size_t rest;

	if (n >= sizeof more - 1 && memcmp(reply, more, sizeof more - 1) ==
	    0) {
		reply += sizeof more - 1;
		n -= sizeof more - 1;
	}
	if (n == 0)
		return 0;
	PROMISE(n > 12 && memcmp(reply, "HTTP/1.", 7) == 0,
	    "no answer: %.40s", reply);
	end = strstr(reply, "\r\n\r\n");
	if (end == NULL)
		return 0;	/* ended by its time */
	rest = n - (size_t)(end + 4 - reply);
	/* The library has it twice when it refuses by itself (0.9.75). */
	if (reply[9] == '4' && (size_t)(end + 4 - reply) <= rest &&
	    memcmp(reply, end + 4, (size_t)(end + 4 - reply)) == 0)
		rest -= (size_t)(end + 4 - reply);
	length = strcasestr(reply, "\r\nContent-Length:");
	if (length != NULL && length < end)
		PROMISE(rest <= strtoul(length + 17, NULL, 10),
		    "%zu bytes behind the head: %.80s", rest, length + 2);
	return (int)strtol(reply + 9, NULL, 10);
}
