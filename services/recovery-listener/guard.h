/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_GUARD_H
#define SVTREE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Who may ask: tokens, the name in Host, where a browser's request comes
 * from. Pure; compares secrets in constant time.
 */
#define GUARD_TOKENS	2	/* two are valid while one is replaced */
#define GUARD_TOKEN_MIN	16
#define GUARD_TOKEN_MAX	128
#define GUARD_ERR_LEN	160
#define GUARD_HOSTS	32
#define GUARD_HOST_MAX	128

struct tokens {
	int	 n;
	char	 v[GUARD_TOKENS][GUARD_TOKEN_MAX + 1];
};

struct hosts {
	int	 n;
	char	 v[GUARD_HOSTS][GUARD_HOST_MAX];
};

/* Words separated by blanks, newlines or commas; '#' begins a comment. 0, or
 * -1 with what would be right in err (GUARD_ERR_LEN). */
int tokens_parse(struct tokens *t, const char *text, char *err);
bool tokens_hold(const struct tokens *t, const char *word, size_t len);

/* Does the request bear a token: in Authorization (Bearer, or Basic with the
 * token as password or as user), or as a segment of the path? *route becomes
 * the path behind that segment, else the whole path. */
bool guard_is_trusted(const struct tokens *t, const char *authorization,
    const char *path, const char **route);

/* localhost, the names under which containers know this machine, and what
 * hosts_add adds. */
void hosts_init(struct hosts *h);
int hosts_add(struct hosts *h, const char *name);
/* host: the header, "NAME", "NAME:PORT", "[::1]:PORT". */
bool guard_host(const struct hosts *h, const char *host);

/* Only browsers send Origin and Sec-Fetch-Site ("": not sent). */
bool guard_is_browser(const char *origin, const char *fetch_site);
/* A page of our own, served under the same name, asks. */
bool guard_is_own_page(const char *origin, const char *fetch_site,
    const char *host);

#endif
