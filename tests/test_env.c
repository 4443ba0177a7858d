/* SPDX-License-Identifier: ISC */
/* Variables from the text of an env-file; addresses of [sockets]. */
#include <criterion/criterion.h>

#include <netinet/in.h>
#include <string.h>

#include "buf.h"
#include "conf.h"

static const struct {
	const char *text;
	const char *pairs;	/* NAME=value; each ended by '|' */
} good[] = {
	{ "", "" },
	{ "A=1\nB=2\n", "A=1|B=2|" },
	{ "# c\n; c\n\n  \nA=1", "A=1|" },
	{ "  A = 1 \t\nB=a b  c \r\n", "A=1|B=a b  c|" },
	{ "A=\nB=\"\"\n", "A=|B=|" },
	{ "A=\" x \"\nB=' y '\n", "A= x |B= y |" },
	{ "A=x#y\nB=x # y\n", "A=x#y|B=x # y|" },
	{ "A=a\\ b\\\\\nB=\"a\\\"b\\$c\\x\"\n", "A=a b\\|B=a\"b$c\\x|" },
	{ "A='a\\b\"'\n", "A=a\\b\"|" },
	{ "A=one\\\ntwo\nB=\"one\ntwo\"\n", "A=onetwo|B=one\ntwo|" },
	{ "A=http://x/?a=b\n", "A=http://x/?a=b|" },
	{ "_a1=x'y'\"z\"\n", "_a1=xyz|" },
	{ "A=x\\ \n", "A=x |" },
};

Test(env, every_good_text_gives_its_variables)
{
	char name[64], value[128], all[512], err[CONF_ERR_LEN];
	const char *p;
	struct buf b;
	size_t i;
	int line;

	for (i = 0; i < nitems(good); i++) {
		buf_init(&b, all, sizeof all);
		line = 1;
		p = good[i].text;
		while (conf_env_next(&p, &line, name, sizeof name, value,
		    sizeof value, err) > 0)
			buf_printf(&b, "%s=%s|", name, value);
		cr_assert_str_eq(buf_cstr(&b), good[i].pairs, "%s",
		    good[i].text);
	}
}

static const struct {
	const char *text, *told;
} bad[] = {
	{ "A=1\nB\n", "line 2: 'B' is no variable; NAME=value is right" },
	{ "export A=1\n",
	    "line 1: 'export A' is no variable; NAME=value is right" },
	{ "1A=x\n", "line 1: '1A' is no variable; NAME=value is right" },
	{ "=x\n", "line 1: '' is no variable; NAME=value is right" },
	{ "\n\nA=\"x\n", "line 3: A: a quote is not closed" },
	{ "A=0123456789abcdef\n", "line 1: A: too long" },
	{ "A=\"1\n2\"\nB='\n", "line 3: B: a quote is not closed" },
};

Test(env, every_bad_text_is_told_with_its_line)
{
	char name[64], value[16], err[CONF_ERR_LEN];
	const char *p;
	size_t i;
	int line, rc;

	for (i = 0; i < nitems(bad); i++) {
		line = 1;
		p = bad[i].text;
		while ((rc = conf_env_next(&p, &line, name, sizeof name,
		    value, sizeof value, err)) > 0)
			continue;
		cr_assert_eq(rc, -1, "%s", bad[i].text);
		cr_assert_str_eq(err, bad[i].told);
	}
}

static const struct {
	const char *text;
	int family;		/* AF_UNSPEC: refused */
	int port;
} addresses[] = {
	{ "127.0.0.1:8080", AF_INET, 8080 }, { "*:1", AF_INET, 1 },
	{ "0.0.0.0:65535", AF_INET, 65535 }, { "[::1]:80", AF_INET6, 80 },
	{ "[::]:80", AF_INET6, 80 }, { "[fe80::1:2]:443", AF_INET6, 443 },
	{ "/run/x.sock", AF_UNIX, 0 },
	{ "", AF_UNSPEC, 0 }, { "8080", AF_UNSPEC, 0 },
	{ ":8080", AF_UNSPEC, 0 }, { "127.0.0.1", AF_UNSPEC, 0 },
	{ "127.0.0.1:", AF_UNSPEC, 0 }, { "127.0.0.1:0", AF_UNSPEC, 0 },
	{ "127.0.0.1:65536", AF_UNSPEC, 0 }, { "localhost:80", AF_UNSPEC, 0 },
	{ "::1:80", AF_UNSPEC, 0 }, { "[]:80", AF_UNSPEC, 0 },
	{ "[127.0.0.1]:80", AF_UNSPEC, 0 }, { "[::1:80", AF_UNSPEC, 0 },
	{ "127.0.0.1:80x", AF_UNSPEC, 0 }, { "127.0.0.1:+8", AF_UNSPEC, 0 },
	{ "run/x.sock", AF_UNSPEC, 0 }, { "1.2.3:80", AF_UNSPEC, 0 },
	{ "/0123456789012345678901234567890123456789012345678901234567890123"
	    "456789012345678901234567890123456789012345678901", AF_UNSPEC, 0 },
};

Test(address, is_a_number_or_a_path_and_nothing_else)
{
	struct sockaddr_storage sa;
	socklen_t len;
	size_t i;
	int port;

	for (i = 0; i < nitems(addresses); i++) {
		len = conf_address(addresses[i].text, &sa);
		cr_assert_eq(len == 0, addresses[i].family == AF_UNSPEC, "%s",
		    addresses[i].text);
		if (len == 0)
			continue;
		cr_assert_eq((int)sa.ss_family, addresses[i].family, "%s",
		    addresses[i].text);
		port = sa.ss_family == AF_INET ?
		    ntohs(((struct sockaddr_in *)&sa)->sin_port) :
		    sa.ss_family == AF_INET6 ?
		    ntohs(((struct sockaddr_in6 *)&sa)->sin6_port) : 0;
		cr_assert_eq(port, addresses[i].port, "%s",
		    addresses[i].text);
	}
}
