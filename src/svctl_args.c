/* SPDX-License-Identifier: ISC */
/*
 * The command line against the tables of verbs and options, and the help
 * that is printed from them.
 */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "os.h"
#include "svctl.h"

#define DEFAULT_TIMEOUT_MS	60000
#define LONG_ONLY		256	/* getopt's value of an option is
					 * this and its number */

static const struct {
	int	 status;
	const char *words;
} statuses[] = {
	{ CTL_OK, "done; of status: all wanted services are up" },
	{ CTL_FAILED, "failed; of status: a wanted service is not up" },
	{ CTL_USAGE, "used wrongly" },
	{ CTL_NOT_RUNNING, "a service that was named is not running" },
	{ CTL_NO_SERVICE, "no such service" },
	{ CTL_NOT_PERMITTED, "not permitted" },
	{ CTL_NO_SUPERVISOR, "no supervisor there" },
	{ CTL_TIMEOUT, "time is up" },
	{ CTL_NO_HOST, "the host cannot be reached" },
};

static void
print_options(FILE *out, uint32_t wanted)
{
	const struct opt_row *o;
	char call[64];
	int i;

	for (i = 0; i < OPT_COUNT; i++) {
		o = &svctl_options[i];
		if ((wanted & UINT32_C(1) << i) == 0)
			continue;
		(void)snprintf(call, sizeof call, "%s%c%s--%s%s%s",
		    o->letter != 0 ? "-" : " ", o->letter != 0 ? o->letter :
		    ' ', o->letter != 0 ? ", " : "  ", o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
		(void)fprintf(out, "  %-25s %s\n", call, o->help);
	}
}

static void
print_verbs(FILE *out)
{
	const struct verb *v;
	const char *group = "";
	char call[64];

	for (v = svctl_verbs; v->name != NULL; v++) {
		if (strcmp(group, v->group) != 0)
			(void)fprintf(out, "\n%s\n", v->group);
		group = v->group;
		(void)snprintf(call, sizeof call, "%s %s", v->name, v->args);
		(void)fprintf(out, "  %-25s %s\n", call, v->help);
	}
}

static void
print_statuses(FILE *out)
{
	size_t i;

	(void)fputs("\nExit status\n", out);
	for (i = 0; i < nitems(statuses); i++)
		(void)fprintf(out, "  %d  %s\n", statuses[i].status,
		    statuses[i].words);
}

void
ctl_help(FILE *out, const struct verb *only)
{
	if (only != NULL) {
		(void)fprintf(out, "usage: svctl %s%s%s%s\n\n  %s\n\n",
		    only->name, only->options != 0 ? " [OPTION...]" : "",
		    only->args[0] != '\0' ? " " : "", only->args,
		    only->help);
		print_options(out, only->options | OPTIONS_OF_ALL);
		return;
	}
	(void)fputs("usage: svctl [OPTION...] [VERB [NAME...]]\n", out);
	print_verbs(out);
	(void)fputs("\nOptions of all verbs\n", out);
	print_options(out, OPTIONS_OF_ALL);
	(void)fputs("\nOptions of some verbs (svctl help VERB tells which)"
	    "\n", out);
	print_options(out, ~OPTIONS_OF_ALL);
	print_statuses(out);
	(void)fputs("\nWithout a VERB: status. A NAME may be a pattern, "
	    "'knowledge_*'. See svctl(1).\n", out);
}

static int
no_verb(const char *word)
{
	const char *names[64], *near;
	int i;

	for (i = 0; i < 63 && svctl_verbs[i].name != NULL; i++)
		names[i] = svctl_verbs[i].name;
	names[i] = NULL;
	near = ctl_nearest(word, names);
	(void)fprintf(stderr, "svctl: no verb %s; %s%s%s\n", word,
	    near != NULL ? "did you mean " : "svctl --help lists them",
	    near != NULL ? near : "", near != NULL ? "?" : "");
	return CTL_USAGE;
}

static int
bad(const struct opt_row *o, const char *value, const char *right)
{
	(void)fprintf(stderr, "svctl: --%s %s: that is no %s; %s would be "
	    "one\n", o->name, value, o->arg, right);
	return CTL_USAGE;
}

/* One option. -1: go on, else the exit status. */
static int
take_option(struct ctl *c, int option, const char *value)
{
	const struct opt_row *o = &svctl_options[option];
	const char *wrong;

	c->opt[option] = o->arg != NULL ? value : "";
	switch (o->word) {
	case WORD_DURATION:
		c->timeout_ms = conf_duration(value);
		return c->timeout_ms < 0 ? bad(o, value, "10s or 5m") : -1;
	case WORD_COUNT:
		c->lines = (long)strtonum(value, 0, 10000000, &wrong);
		return wrong != NULL ? bad(o, value, "50") : -1;
	case WORD_TIME:
		return ctl_since(value, os_wall_us(), &c->since_us) < 0 ?
		    bad(o, value, "10m, 14:30 or 2026-11-24") : -1;
	case WORD_NONE:
	case WORD_SERVICE:
	case WORD_VERB:
	case WORD_SIGNAL:
	case WORD_SHELL:
	case WORD_DIR:
	case WORD_FILE:
	case WORD_PATTERN:
	case WORD_HOST:
	case WORD_MANAGER:
	default:
		return -1;
	}
}

/* getopt's tables from ours. */
static void
make_tables(struct option *longs, char *shorts)
{
	const struct opt_row *o;
	int i;

	for (i = 0; i < OPT_COUNT; i++) {
		o = &svctl_options[i];
		longs[i] = (struct option){ o->name, o->arg != NULL ?
		    required_argument : no_argument, NULL, LONG_ONLY + i };
		if (o->letter == 0)
			continue;
		*shorts++ = o->letter;
		if (o->arg != NULL)
			*shorts++ = ':';
	}
	*shorts = '\0';
}

static int
number_of(int got)
{
	int i;

	if (got >= LONG_ONLY)
		return got - LONG_ONLY;
	for (i = 0; i < OPT_COUNT; i++)
		if (svctl_options[i].letter == got)
			return i;
	return -1;
}

static int
take_options(struct ctl *c, int argc, char **argv)
{
	struct option longs[OPT_COUNT + 1] = { { NULL, 0, NULL, 0 } };
	char shorts[2 * OPT_COUNT + 1];
	int got, option, rc;

	make_tables(longs, shorts);
	while ((got = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if ((option = number_of(got)) < 0) {
			(void)fputs("svctl: svctl --help lists the options\n",
			    stderr);
			return CTL_USAGE;
		}
		if ((rc = take_option(c, option, optarg)) >= 0)
			return rc;
	}
	c->run = c->opt[OPT_RUN];
	c->json = c->opt[OPT_JSON] != NULL;
	c->quiet = c->opt[OPT_QUIET] != NULL;
	c->no_wait = c->opt[OPT_NO_WAIT] != NULL;
	c->follow = c->opt[OPT_FOLLOW] != NULL;
	return -1;
}

/* Each option is one of this verb, and the words are as many as it takes. */
static int
check_fit(const struct ctl *c)
{
	const struct verb *v = c->verb;
	int i;

	for (i = 0; i < OPT_COUNT; i++)
		if (c->opt[i] != NULL && ((v->options | OPTIONS_OF_ALL) &
		    UINT32_C(1) << i) == 0) {
			(void)fprintf(stderr, "svctl: %s takes no --%s; "
			    "svctl help %s lists its options\n", v->name,
			    svctl_options[i].name, v->name);
			return CTL_USAGE;
		}
	if (c->n >= v->min && (v->max < 0 || c->n <= v->max))
		return -1;
	(void)fprintf(stderr, "svctl: %s: %s; usage: svctl %s %s\n", v->name,
	    c->n < v->min ? "a word is missing" : "that is too much",
	    v->name, v->args);
	return CTL_USAGE;
}

int
ctl_args(struct ctl *c, int argc, char **argv)
{
	const struct verb *named = NULL;
	int rc;

	memset(c, 0, sizeof *c);
	c->argv0 = argv[0];
	c->lines = -1;
	c->timeout_ms = DEFAULT_TIMEOUT_MS;
	c->client.fd = c->events.fd = -1;
	if ((rc = take_options(c, argc, argv)) >= 0)
		return rc;
	if (c->opt[OPT_VERSION] != NULL) {
		(void)puts("svctl " PACKAGE_VERSION);
		return CTL_OK;
	}
	if (optind < argc && (named = verb_find(argv[optind++])) == NULL)
		return no_verb(argv[optind - 1]);
	c->name = argv + optind;
	c->n = argc - optind;
	c->verb = named != NULL ? named : verb_find("status");
	if (strcmp(c->verb->name, "help") == 0 && c->n > 0 &&
	    (named = verb_find(c->name[0])) == NULL)
		return no_verb(c->name[0]);
	if (c->opt[OPT_HELP] != NULL || strcmp(c->verb->name, "help") == 0) {
		ctl_help(stdout, named != c->verb ||
		    c->opt[OPT_HELP] != NULL ? named : NULL);
		return CTL_OK;
	}
	return check_fit(c);
}
