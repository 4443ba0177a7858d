/* SPDX-License-Identifier: ISC */
/*
 * A person's hand on the tree: the verbs, the options, the help. What the
 * verbs do is elsewhere.
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "svctl.h"

#define DEFAULT_TIMEOUT_MS	60000

const struct verb svctl_verbs[] = {
{ "status", "[NAME...]", "what is wanted, what is, why and since when",
    0, -1, svctl_status, NULL },
{ "start", "NAME...", "want it up; ends a hold at once", 1, -1, svctl_act,
    "Start" },
{ "stop", "NAME...", "want it down; it stays so", 1, -1, svctl_act, "Stop" },
{ "restart", "NAME...", "stop and start", 1, -1, svctl_act, "Restart" },
{ "once", "NAME...", "run it one time and wait for its end", 1, -1,
    svctl_act, "Once" },
{ "signal", "SIGNAL NAME...", "send its process a signal", 2, -1,
    svctl_signal, "Signal" },
{ "enable", "NAME...", "start it, at boot too", 1, -1, svctl_act, "Enable" },
{ "disable", "NAME...", "stop it, and keep it so across reboots", 1, -1,
    svctl_act, "Disable" },
{ "reload", "[--dry-run]", "read the service directories again", 0, 0,
    svctl_reload, "Reload" },
{ "logs", "[-f] [-n N] NAME...", "its last lines; -f: and those to come",
    1, -1, svctl_logs, NULL },
{ "events", "", "what happens, as it happens", 0, 0, svctl_events, NULL },
{ "history", "[-n N] [NAME...]", "what has happened", 0, -1, svctl_history,
    NULL },
{ "wait", "[--up|--down|--healthy] NAME...", "until it is so", 1, -1,
    svctl_wait, NULL },
{ "check", "[SERVICES_DIR]", "every error in the definitions", 0, 1,
    svctl_check, NULL },
{ "recover", "", "find what is down and heal it, showing the steps", 0, 0,
    svctl_recover, "Once" },
{ "shutdown", "", "stop all services in order, then the supervisor", 0, 0,
    svctl_shutdown, "Shutdown" },
{ "upgrade", "[PROGRAM]", "replace the supervisor, not the services", 0, 1,
    svctl_upgrade, "Upgrade" },
{ "detach", "", "end the supervisor and leave the services running", 0, 0,
    svctl_detach, "Detach" },
{ NULL, NULL, NULL, 0, 0, NULL, NULL }
};

static const struct option options[] = {
	{ "run", required_argument, NULL, 'r' },
	{ "json", no_argument, NULL, 'j' },
	{ "no-wait", no_argument, NULL, 'w' },
	{ "timeout", required_argument, NULL, 't' },
	{ "follow", no_argument, NULL, 'f' },
	{ "lines", required_argument, NULL, 'n' },
	{ "up", no_argument, NULL, 'u' },
	{ "down", no_argument, NULL, 'd' },
	{ "healthy", no_argument, NULL, 'H' },
	{ "dry-run", no_argument, NULL, 'y' },
	{ "completion", required_argument, NULL, 'c' },
	{ "keys", no_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static void
print_help(FILE *out, const struct verb *only)
{
	const struct verb *v;
	char call[64];

	if (only != NULL) {
		(void)fprintf(out, "usage: svctl %s %s\n\n%s\n", only->name,
		    only->args, only->help);
		return;
	}
	(void)fputs("usage: svctl [OPTION...] [VERB [NAME...]]\n\n", out);
	for (v = svctl_verbs; v->name != NULL; v++) {
		(void)snprintf(call, sizeof call, "%s %s", v->name, v->args);
		(void)fprintf(out, "  %-40s %s\n", call, v->help);
	}
	(void)fputs("\n"
	    "  --run DIR        the tree of this run directory ($SVTREE_RUN)\n"
	    "  --json           the supervisor's own JSON\n"
	    "  --no-wait        do not wait for the effect\n"
	    "  --dry-run        reload: only tell what would change\n"
	    "  -t, --timeout T  wait so long: 10s, 5m (default 60s)\n"
	    "  -f, --follow     logs: go on with new lines\n"
	    "  -n, --lines N    logs, history: so many\n"
	    "  --completion S   words for the shell S: bash, zsh or fish\n"
	    "  --keys           the keys of service.conf and their defaults\n"
	    "  -h, --help       this text, or that of a verb\n"
	    "  -V, --version\n"
	    "\n"
	    "Exit: 0 done, or all wanted services are up; 1 failed; 2 used\n"
	    "wrongly; 3 not running; 4 no such service; 5 not permitted;\n"
	    "7 no supervisor there; 8 time is up. See svctl(8).\n", out);
}

static const struct verb *
find_verb(const char *word)
{
	const char *names[32];
	const char *near;
	int i;

	for (i = 0; svctl_verbs[i].name != NULL; i++) {
		if (strcmp(svctl_verbs[i].name, word) == 0)
			return &svctl_verbs[i];
		names[i] = svctl_verbs[i].name;
	}
	names[i] = NULL;
	near = ctl_nearest(word, names);
	if (near != NULL)
		(void)fprintf(stderr, "svctl: no verb %s; did you mean %s?\n",
		    word, near);
	else
		(void)fprintf(stderr, "svctl: no verb %s; svctl --help lists "
		    "them\n", word);
	return NULL;
}

static int
bad(const char *what, const char *value)
{
	(void)fprintf(stderr, "svctl: %s: '%s' is not right\n", what, value);
	return CTL_USAGE;
}

/* One option. -1: go on, else the exit status. */
static int
take_option(struct ctl *c, int option, bool *help)
{
	const char *wrong;

	switch (option) {
	case 'r':
		c->run = optarg;
		break;
	case 'j':
		c->json = true;
		break;
	case 'w':
		c->no_wait = true;
		break;
	case 't':
		c->timeout_ms = conf_duration(optarg);
		if (c->timeout_ms < 0)
			return bad("timeout", optarg);
		break;
	case 'f':
		c->follow = true;
		break;
	case 'n':
		c->lines = (long)strtonum(optarg, 0, 10000000, &wrong);
		if (wrong != NULL)
			return bad("lines", optarg);
		break;
	case 'u':
		c->up = true;
		break;
	case 'd':
		c->down = true;
		break;
	case 'H':
		c->healthy = true;
		break;
	case 'y':
		c->dry_run = true;
		break;
	case 'c':
		return svctl_complete(optarg);
	case 'k':
		return svctl_keys();
	case 'h':
		*help = true;
		break;
	case 'V':
		(void)puts("svctl " PACKAGE_VERSION);
		return CTL_OK;
	default:
		print_help(stderr, NULL);
		return CTL_USAGE;
	}
	return -1;
}

/* Verbs and names may stand between options. -1: go on. */
static int
take_arguments(struct ctl *c, int argc, char **argv)
{
	const struct verb *v;
	bool help = false;
	int option, rc;

	while ((option = getopt_long(argc, argv, "hVt:fn:", options,
	    NULL)) != -1)
		if ((rc = take_option(c, option, &help)) >= 0)
			return rc;
	c->verb = optind < argc ? find_verb(argv[optind]) : svctl_verbs;
	if ((v = c->verb) == NULL)
		return CTL_USAGE;
	if (help) {
		print_help(stdout, optind < argc ? v : NULL);
		return CTL_OK;
	}
	c->n = optind < argc ? argc - optind - 1 : 0;
	c->name = argv + argc - c->n;
	if (c->n < v->min || (v->max >= 0 && c->n > v->max)) {
		(void)fprintf(stderr, "usage: svctl %s %s\n", v->name,
		    v->args);
		return CTL_USAGE;
	}
	return -1;
}

int
main(int argc, char **argv)
{
	struct ctl c = { .lines = -1, .timeout_ms = DEFAULT_TIMEOUT_MS,
	    .client = { .fd = -1 }, .events = { .fd = -1 } };
	int rc;

	log_open("svctl");
	(void)signal(SIGPIPE, SIG_IGN);
	rc = take_arguments(&c, argc, argv);
	if (rc < 0)
		rc = c.verb->run(&c);
	client_close(&c.client);
	client_close(&c.events);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = CTL_FAILED;
	return rc;
}
