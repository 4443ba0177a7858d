/* SPDX-License-Identifier: ISC */
/*
 * The logger of a tree: its arguments and the one loop over the FIFOs of all
 * services.
 */

#include <sys/stat.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "die.h"
#include "log.h"
#include "os.h"
#include "oslog.h"
#include "svlog.h"
#include "usage.h"

#define DRAIN_MS	2000	/* for what comes, on the way out */
#define LAST_MS		15000	/* for what is there: SIGKILL comes at 20 s */

static const char usage_text[] =
"usage: svlog [--run DIR] [--log DIR] [SERVICES_DIR]\n"
"\n"
"Writes what the services of a tree print to LOG/NAME/current and rotates\n"
"it. Started by svtree; the options default to $SVTREE_RUN, $SVTREE_LOG and\n"
"$SVTREE_SERVICES. SIGHUP looks for new services, SIGTERM writes what there\n"
"is and ends. See svlog(8).\n"
"\n"
"  -h, --help    this text        -V, --version\n";

static const struct option options[] = {
	{ "run", required_argument, NULL, 'r' },
	{ "log", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static const struct usage usage = { "svlog", usage_text, "hV", options };

static struct svlog_dirs dirs;

static void
take_arguments(int argc, char **argv)
{
	int c;

	dirs.run = getenv("SVTREE_RUN");
	dirs.log = getenv("SVTREE_LOG");
	dirs.services = getenv("SVTREE_SERVICES");
	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 'r':
			dirs.run = optarg;
			break;
		case 'l':
			dirs.log = optarg;
			break;
		}
	if (optind < argc)
		dirs.services = argv[optind];
	if (dirs.run == NULL || dirs.log == NULL || dirs.services == NULL)
		diex(EXIT_USAGE, "--run, --log and SERVICES_DIR are needed "
		    "when svtree has not set them");
}

/* False: the end has been asked for. */
static bool
take(const struct os_event *ev)
{
	if (!(ev->what & OS_SIGNAL)) {
		svlog_streams_turn(ev->tag);
		return true;
	}
	switch (ev->signo) {
	case SIGHUP:
		svlog_streams_scan();
		return true;
	case SIGCHLD:
		svlog_streams_squeeze();
		return true;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 };
	struct os_event ev[64];
	bool ending = false;
	int i, n;

	log_open("svlog");
	take_arguments(argc, argv);
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	os_files_raise();
	if (os_open() < 0 || os_signals(signals) < 0 || oslog_open() < 0)
		die(EXIT_SYSTEM, "prepare the loop");
	/* From here on SIGHUP is heard; who comes before is seen below. */
	(void)notify_send("READY=1");
	svlog_streams_open(&dirs);
	while (!ending) {
		n = os_wait(-1, ev, (int)nitems(ev));
		for (i = 0; i < n; i++)
			if (!take(&ev[i]))
				ending = true;
	}
	svlog_streams_drain(os_now_ms() + DRAIN_MS, os_now_ms() + LAST_MS);
	return 0;
}
