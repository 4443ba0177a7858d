/* SPDX-License-Identifier: ISC */
/*
 * port-guard PORT -- PROGRAM: a chain-loader that becomes PROGRAM as soon as
 * nobody else listens on the port. Here are only the command line and what
 * the service's own service.conf says of its port; port_wait.c does the rest,
 * and port_store.c looks at the model store.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "die.h"
#include "log.h"
#include "os.h"
#include "port_wait.h"
#include "report.h"
#include "usage.h"

static const char usage_text[] =
"usage: port-guard [-hVw] [-p refuse|evict|adopt] [PORT[,PORT...]] -- PROGRAM "
    "[ARG...]\n"
"  -p, --policy POLICY   what is done to who holds the port\n"
"  -w, --wait            waiting is expected, no failure\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"PORT and POLICY default to [port] of the service's service.conf.\n";

static const struct option options[] = {
	{ "policy",	required_argument,	NULL,	'p' },
	{ "wait",	no_argument,		NULL,	'w' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "port-guard", usage_text, "+p:whV",
    options };

enum { POLICY_UNSET = -1 };

static void
refuse(const char *what)
{
	log_warnx("%s", what);
	usage_wrong(&usage);
}

static int
parse_policy(const char *word)
{
	if (strcmp(word, "refuse") == 0)
		return PORT_REFUSE;
	if (strcmp(word, "adopt") == 0)
		return PORT_ADOPT;
	if (strcmp(word, "evict") != 0)
		refuse("policy is refuse, evict or adopt");
	return PORT_EVICT;
}

static void
parse_ports(struct guard *g, char *list)
{
	const char *why;
	char *word;

	while ((word = strsep(&list, ",")) != NULL) {
		if (g->nports == GUARD_PORTS_MAX)
			diex(EXIT_USAGE, "at most %d ports", GUARD_PORTS_MAX);
		g->port[g->nports++] =
		    (uint16_t)strtonum(word, 1, UINT16_MAX, &why);
		if (why != NULL)
			diex(EXIT_USAGE, "port %s: %s", word, why);
	}
}

/* Returns the policy; optind is PROGRAM's index afterwards. */
static int
parse(struct guard *g, int argc, char **argv)
{
	int c, policy = POLICY_UNSET;

	/* "+": the options behind PROGRAM are its own. */
	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 'p':
			policy = parse_policy(optarg);
			break;
		case 'w':
			g->expected = true;
			break;
		}
	if (strcmp(argv[optind - 1], "--") != 0 && optind < argc) {
		parse_ports(g, argv[optind++]);
		if (optind < argc && strcmp(argv[optind], "--") == 0)
			optind++;
	}
	if (optind >= argc)
		refuse("no program to become");
	return policy;
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	log_warnx("%s", line);
}

/* What the command line left open, and the store. */
static void
read_conf(struct guard *g, int *policy)
{
	const char *dir = getenv("SVTREE_SERVICES");
	const struct conf_service *sv;
	static struct conf_tree t;	/* what is read of it stays */

	if (dir == NULL || g->service == NULL ||
	    conf_load_partly(&t, dir, print_error, NULL) < 0)
		return;
	if ((sv = conf_find(&t, g->service)) != NULL) {
		if (g->nports == 0 && sv->port.number > 0)
			g->port[g->nports++] = (uint16_t)sv->port.number;
		if (*policy == POLICY_UNSET)
			*policy = sv->port.policy;
		g->store = store_kind(sv);
		g->models = &sv->health->models;
	}
}

int
main(int argc, char **argv)
{
	struct guard g = { .service = NULL };
	int policy, error;

	log_open("port-guard");
	(void)signal(SIGPIPE, SIG_IGN);
	if (report_wanted())
		g.service = getenv("SVTREE_SERVICE");
	policy = parse(&g, argc, argv);
	read_conf(&g, &policy);
	if (g.nports == 0)
		diex(EXIT_USAGE, "no port: give PORT, or number = PORT below "
		    "[port] in the service.conf");
	g.evict = policy == PORT_EVICT;
	g.adopt = policy == PORT_ADOPT;
	g.expected |= g.adopt;
	if (os_open() < 0)
		die(EXIT_SYSTEM, "prepare the wait");
	if (g.adopt)		/* it needs no store of ours */
		port_wait_free(&g);
	if (g.store != STORE_NONE)
		port_wait_store(&g);
	port_wait_free(&g);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execvp(argv[optind], argv + optind);
	error = errno;
	port_tell_no_program(&g, argv[optind], strerror(error));
	errno = error;
	die(EXIT_SYSTEM, "exec %s", argv[optind]);
}
