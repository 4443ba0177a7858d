/* SPDX-License-Identifier: ISC */
/*
 * [sockets]: addresses to listen on. Numbers and paths only: a name would
 * have to be asked for, and nobody waits for that.
 */
#include <sys/un.h>

#include <netinet/in.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_kinds.h"

/* HOST:PORT, [HOST]:PORT, *:PORT. The host without brackets, and the port;
 * 0 when it is no such thing. */
static in_port_t
split(const char *text, char *host, size_t cap)
{
	const char *colon = strrchr(text, ':'), *wrong;
	size_t n;
	int port;

	if (colon == NULL || !isdigit((unsigned char)colon[1]))
		return 0;
	n = (size_t)(colon - text);
	if (text[0] == '[') {
		if (n < 3 || text[n - 1] != ']')
			return 0;
		text++;
		n -= 2;
	} else if (memchr(text, ':', n) != NULL) {
		return 0;	/* [::1]:80 is right */
	}
	if (n == 0 || n >= cap)
		return 0;
	(void)snprintf(host, cap, "%.*s", (int)n, text);
	port = (int)strtonum(colon + 1, 1, 65535, &wrong);
	return wrong == NULL ? (in_port_t)port : 0;
}

static socklen_t
unix_address(const char *path, struct sockaddr_storage *sa)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)sa;

	if (strlen(path) >= sizeof sun->sun_path)
		return 0;
	sun->sun_family = AF_UNIX;
	(void)snprintf(sun->sun_path, sizeof sun->sun_path, "%s", path);
	return (socklen_t)sizeof *sun;
}

socklen_t
conf_address(const char *text, struct sockaddr_storage *sa)
{
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *sin = (struct sockaddr_in *)sa;
	char host[64];
	in_port_t port;

	memset(sa, 0, sizeof *sa);
	if (text[0] == '/')
		return unix_address(text, sa);
	if ((port = split(text, host, sizeof host)) == 0)
		return 0;
	if (text[0] == '[') {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(port);
		return inet_pton(AF_INET6, host, &sin6->sin6_addr) == 1 ?
		    (socklen_t)sizeof *sin6 : 0;
	}
	sin->sin_family = AF_INET;
	sin->sin_port = htons(port);
	if (strcmp(host, "*") == 0)
		return (socklen_t)sizeof *sin;
	return inet_pton(AF_INET, host, &sin->sin_addr) == 1 ?
	    (socklen_t)sizeof *sin : 0;
}

/* NAME=ADDRESS or ADDRESS, as words. */
bool
conf_set_sockets(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	struct conf_sockets *sockets = where;
	struct conf_list words = { NULL, 0 };
	struct sockaddr_storage sa;
	char *address;
	int i;

	(void)conf_words(rd, key->key, value, &words);
	sockets->v = conf_alloc(rd->tree,
	    ((size_t)words.n + 1) * sizeof *sockets->v);
	if (sockets->v == NULL || words.n > CONF_SOCKETS_MAX)
		return false;
	for (i = 0; i < words.n; i++) {
		address = words.v[i][0] == '/' ? NULL :
		    strchr(words.v[i], '=');
		sockets->v[i].name = rd->sv->name;
		if (address != NULL) {
			*address++ = '\0';
			sockets->v[i].name = words.v[i];
			if (!conf_name_is_good(words.v[i]))
				return false;
		}
		sockets->v[i].address = address != NULL ? address :
		    words.v[i];
		if (conf_address(sockets->v[i].address, &sa) == 0)
			return false;
	}
	sockets->n = words.n;
	return words.n > 0;
}
