/* SPDX-License-Identifier: ISC */
/*
 * Addresses and interfaces, made into listening sockets as they appear.
 */
#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "buf.h"
#include "log.h"
#include "os.h"
#include "web.h"

#define ADDRESSES	8
#define RETRY_MS	5000

struct address {
	char	 word[64];
	bool	 interface;
	bool	 served, told;
};

static struct address addresses[ADDRESSES];
static int naddresses;

/* Family, or 0 when the word is no address in figures. */
static int
parse(const char *word, uint16_t port, struct sockaddr_storage *ss,
    socklen_t *len)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
	    .sin6_port = htons(port) };

	memset(ss, 0, sizeof *ss);
	if (inet_pton(AF_INET, word, &in.sin_addr) == 1) {
		memcpy(ss, &in, sizeof in);
		*len = sizeof in;
		return AF_INET;
	}
	if (inet_pton(AF_INET6, word, &in6.sin6_addr) != 1)
		return 0;
	memcpy(ss, &in6, sizeof in6);
	*len = sizeof in6;
	return AF_INET6;
}

static bool
is_loopback(const struct sockaddr_storage *ss)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (ss->ss_family == AF_INET) {
		memcpy(&in, ss, sizeof in);
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	memcpy(&in6, ss, sizeof in6);
	return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
}

static int
add_one(const char *word, size_t len, char *err)
{
	struct sockaddr_storage ss;
	struct address *a = &addresses[naddresses];
	socklen_t socklen;

	if (naddresses == ADDRESSES || len >= sizeof a->word || len == 0) {
		(void)snprintf(err, ADDRESS_ERR_LEN, "address %.*s: wanted "
		    "are at most %d addresses such as 127.0.0.1, ::1 or "
		    "docker0", (int)len, word, ADDRESSES);
		return -1;
	}
	(void)snprintf(a->word, sizeof a->word, "%.*s", (int)len, word);
	if (a->word[0] == '[')
		(void)snprintf(a->word, sizeof a->word, "%.*s",
		    (int)strcspn(word + 1, "],"), word + 1);
	if (strcmp(a->word, "localhost") == 0)
		(void)snprintf(a->word, sizeof a->word, "127.0.0.1");
	a->interface = parse(a->word, 0, &ss, &socklen) == 0;
	if (a->interface && strpbrk(a->word, ".:/") != NULL) {
		(void)snprintf(err, ADDRESS_ERR_LEN, "%s is no address: "
		    "wanted is one such as 127.0.0.1 or ::1, or the name of "
		    "an interface", a->word);
		return -1;
	}
	naddresses++;
	return 0;
}

int
address_add(const char *list, char *err)
{
	size_t n;

	for (;;) {
		list += strspn(list, ", \t");
		if (*list == '\0')
			return 0;
		n = strcspn(list, ", \t");
		if (add_one(list, n, err) < 0)
			return -1;
		list += n;
	}
}

/* The IPv4 address of the interface. */
static bool
find_interface(const char *name, char *dst, size_t cap)
{
	struct ifaddrs *all, *i;
	struct sockaddr_in in;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return false;
	for (i = all; i != NULL && !found; i = i->ifa_next) {
		if (i->ifa_addr == NULL || strcmp(i->ifa_name, name) != 0 ||
		    i->ifa_addr->sa_family != AF_INET)
			continue;
		memcpy(&in, i->ifa_addr, sizeof in);
		found = inet_ntop(AF_INET, &in.sin_addr, dst,
		    (socklen_t)cap) != NULL;
	}
	freeifaddrs(all);
	return found;
}

static void
say_taken(uint16_t port, const char *word, char *err)
{
	pid_t pid = os_port_holder(port, NULL);
	char name[32];

	if (pid > 0 && os_proc_name(pid, name, sizeof name, NULL) == 0)
		(void)snprintf(err, ADDRESS_ERR_LEN, "listen on %s port %u: "
		    "pid %ld (%s) has it", word, port, (long)pid, name);
	else
		(void)snprintf(err, ADDRESS_ERR_LEN, "listen on %s port %u: "
		    "another process has it", word, port);
}

/* 1 served, 0 not there yet, -1 with a reason in err. */
static int
serve(struct address *a, uint16_t port, struct hosts *h, char *err)
{
	struct sockaddr_storage ss;
	char word[64];
	socklen_t len;

	memcpy(word, a->word, sizeof word);
	if (a->interface && !find_interface(a->word, word, sizeof word))
		return 0;
	if (parse(word, port, &ss, &len) == 0)
		return 0;
	if (web_listen((const struct sockaddr *)&ss, len,
	    is_loopback(&ss)) == 0) {
		log_info("listens on %s port %u", word, port);
		(void)hosts_add(h, word);
		return 1;
	}
	if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
		return 0;
	if (errno == EADDRINUSE)
		say_taken(port, word, err);
	else
		(void)snprintf(err, ADDRESS_ERR_LEN, "listen on %s port %u: "
		    "%s", word, port, strerror(errno));
	return -1;
}

int
address_serve(uint16_t port, bool first, int64_t now_ms, int64_t *next_ms,
    struct hosts *h, char *err)
{
	static int64_t retry_ms;
	struct address *a;
	int rc;

	*next_ms = retry_ms;
	if (now_ms < retry_ms)
		return 0;
	retry_ms = INT64_MAX;
	for (a = addresses; a < addresses + naddresses; a++) {
		if (a->served)
			continue;
		rc = serve(a, port, h, err);
		if (rc < 0 && first)
			return -1;
		a->served = rc > 0;
		if (a->served)
			continue;
		retry_ms = now_ms + RETRY_MS;
		if (!a->told)
			log_info("%s is not there yet; it is tried again",
			    rc < 0 ? err : a->word);
		a->told = true;
	}
	*next_ms = retry_ms;
	return 0;
}

int
address_served(void)
{
	int i, n = 0;

	for (i = 0; i < naddresses; i++)
		n += addresses[i].served;
	return n;
}
