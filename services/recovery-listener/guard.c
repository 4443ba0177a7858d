/* SPDX-License-Identifier: ISC */
/*
 * Tokens, hosts, origins. A wrong token costs the same time as a right one.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "guard.h"

static const char *const own_names[] = {
	"localhost", "127.0.0.1", "::1",
	"host.docker.internal", "gateway.docker.internal",
	"host.containers.internal", "host.lima.internal",
	"host.orb.internal",
};

/* Safe in a URL as it is. */
static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL;
}

static int
add_token(struct tokens *t, const char *word, size_t len, char *err)
{
	size_t i;

	for (i = 0; i < len && is_token_char(word[i]); i++)
		;
	if (i < len)
		(void)snprintf(err, GUARD_ERR_LEN, "a token has a character "
		    "that is not safe in a URL: wanted are letters, digits "
		    "and -._~");
	else if (len < GUARD_TOKEN_MIN || len > GUARD_TOKEN_MAX)
		(void)snprintf(err, GUARD_ERR_LEN, "a token has %zu "
		    "characters: wanted are %d to %d (openssl rand -hex 16)",
		    len, GUARD_TOKEN_MIN, GUARD_TOKEN_MAX);
	else if (t->n == GUARD_TOKENS)
		(void)snprintf(err, GUARD_ERR_LEN, "more than %d tokens",
		    GUARD_TOKENS);
	else {
		memcpy(t->v[t->n], word, len);
		t->v[t->n++][len] = '\0';
		return 0;
	}
	return -1;
}

int
tokens_parse(struct tokens *t, const char *text, char *err)
{
	size_t n;

	t->n = 0;
	for (;;) {
		text += strspn(text, " \t\r\n,");
		if (*text == '#') {
			text += strcspn(text, "\n");
			continue;
		}
		if (*text == '\0')
			break;
		n = strcspn(text, " \t\r\n,");
		if (add_token(t, text, n, err) < 0)
			return -1;
		text += n;
	}
	if (t->n > 0)
		return 0;
	(void)snprintf(err, GUARD_ERR_LEN, "holds no token");
	return -1;
}

/* Looks at every byte of the secret, whatever the word is. */
static bool
is_equal(const char *secret, const char *word, size_t len)
{
	size_t n = strlen(secret), i;
	unsigned diff = (unsigned)(n ^ len);

	for (i = 0; i < n; i++)
		diff |= (unsigned char)secret[i] ^
		    (unsigned char)(len > 0 ? word[i % len] : 0);
	return diff == 0;
}

bool
tokens_hold(const struct tokens *t, const char *word, size_t len)
{
	bool found = false;
	int i;

	for (i = 0; i < t->n; i++)
		found = is_equal(t->v[i], word, len) || found;
	return found;
}

/* Base64 to bytes; stops at what is none. Returns the number of bytes. */
static size_t
decode(const char *s, char *dst, size_t cap)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, have = 0;
	const char *d;
	size_t n = 0;

	for (; *s != '\0' && (d = strchr(digits, *s)) != NULL; s++) {
		bits = bits << 6 | (unsigned)(d - digits);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (n == cap)
			return 0;
		dst[n++] = (char)(bits >> have & 0xFF);
	}
	return n;
}

static bool
is_header_trusted(const struct tokens *t, const char *value)
{
	char pair[2 * GUARD_TOKEN_MAX + 64], *colon;
	bool user, password;
	size_t n;

	if (strncasecmp(value, "Bearer ", 7) == 0) {
		value += 7 + strspn(value + 7, " ");
		return tokens_hold(t, value, strlen(value));
	}
	if (strncasecmp(value, "Basic ", 6) != 0)
		return false;
	n = decode(value + 6 + strspn(value + 6, " "), pair, sizeof pair);
	colon = memchr(pair, ':', n);
	if (colon == NULL)
		return tokens_hold(t, pair, n);
	user = tokens_hold(t, pair, (size_t)(colon - pair));
	password = tokens_hold(t, colon + 1, n - (size_t)(colon + 1 - pair));
	return user || password;
}

bool
guard_is_trusted(const struct tokens *t, const char *authorization,
    const char *path, const char **route)
{
	bool trusted = is_header_trusted(t, authorization);
	size_t n;

	*route = path;
	while (*path == '/') {
		path++;
		n = strcspn(path, "/");
		if (tokens_hold(t, path, n)) {
			*route = path + n;
			trusted = true;
		}
		path += n;
	}
	return trusted;
}

int
hosts_add(struct hosts *h, const char *name)
{
	if (h->n == GUARD_HOSTS || strlen(name) >= GUARD_HOST_MAX)
		return -1;
	(void)snprintf(h->v[h->n++], GUARD_HOST_MAX, "%s", name);
	return 0;
}

void
hosts_init(struct hosts *h)
{
	size_t i;

	h->n = 0;
	for (i = 0; i < nitems(own_names); i++)
		(void)hosts_add(h, own_names[i]);
}

/* Takes the port off. False: it is no host. */
static bool
split_host(const char *host, char *name, size_t cap)
{
	const char *end, *port;

	if (*host == '[') {
		end = strchr(++host, ']');
		port = end != NULL ? end + 1 : NULL;
	} else {
		end = host + strcspn(host, ":");
		port = end;
	}
	if (end == NULL || end == host || (size_t)(end - host) >= cap)
		return false;
	if (*port != '\0' && (*port != ':' || port[1] == '\0' ||
	    port[1 + strspn(port + 1, "0123456789")] != '\0'))
		return false;
	memcpy(name, host, (size_t)(end - host));
	name[end - host] = '\0';
	return true;
}

bool
guard_host(const struct hosts *h, const char *host)
{
	char name[GUARD_HOST_MAX];
	int i;

	if (!split_host(host, name, sizeof name))
		return false;
	for (i = 0; i < h->n; i++)
		if (strcasecmp(h->v[i], name) == 0)
			return true;
	return false;
}

bool
guard_is_browser(const char *origin, const char *fetch_site)
{
	return *origin != '\0' || *fetch_site != '\0';
}

bool
guard_is_own_page(const char *origin, const char *fetch_site,
    const char *host)
{
	static const char scheme[] = "http://";

	return strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
	    *host != '\0' &&
	    strcasecmp(origin + sizeof scheme - 1, host) == 0 &&
	    (*fetch_site == '\0' || strcmp(fetch_site, "same-origin") == 0);
}
