/* SPDX-License-Identifier: ISC */
/*
 * oom-watcher: who was killed for memory, why, and what to do about it. Here
 * are the command line, the signals and the loop; containers are watched by
 * oom_watch.c, the host by oom_host.c, the services' own memory by
 * oom_usage.c, their logs by oom_logs.c, and Ollama is asked for relief by
 * oom_relief.c.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "client.h"
#include "conf.h"
#include "confine.h"
#include "die.h"
#include "http.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_host.h"
#include "oom_kills.h"
#include "oom_logs.h"
#include "oom_relief.h"
#include "oom_usage.h"
#include "oom_watch.h"
#include "os.h"
#include "usage.h"
#include "wake.h"

#define INTERVAL_MS	10000
#define INTERVAL_MIN_MS	10
#define USAGE_EVERY	6	/* looks at the host for one at services */

static const char usage_text[] =
"usage: oom-watcher [-hV] [-i interval]\n"
"  -i, --interval TIME   between two looks at the host's memory (10s)\n"
"      --proc DIR        read DIR instead of /proc (for tests)\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n";

static const struct option options[] = {
	{ "interval",	required_argument,	NULL,	'i' },
	{ "proc",	required_argument,	NULL,	'P' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "oom-watcher", usage_text, "hVi:",
    options };

static void
parse(struct host_opts *o, int argc, char **argv)
{
	int c;

	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 'i':
			o->every_ms = conf_duration(optarg);
			if (o->every_ms < INTERVAL_MIN_MS)
				diex(EXIT_USAGE, "interval %s: wanted is a "
				    "time such as 10s", optarg);
			break;
		case 'P':
			o->proc = optarg;
			break;
		}
	usage_no_operand(argc, argv);
}

static void
read_conf(void)
{
	if (oom_conf_load() < 0)
		log_warnx("the services are not read: containers are told "
		    "of as known before");
}

/* The signals that came. False when it is time to go. */
static bool
take_signals(void)
{
	int signo;

	while ((signo = wake_next()) != 0) {
		if (signo != SIGHUP)
			return false;
		read_conf();
		watch_reopen();
	}
	return true;
}

static int64_t
step_all(const struct host_opts *o)
{
	int64_t next, t;

	/* After sleep a stream may hang for good. */
	if (wake_slept())
		watch_reopen();
	next = host_step(o, os_now_ms());
	if ((t = watch_step(os_now_ms())) < next)
		next = t;
	if ((t = relief_step(os_now_ms())) < next)
		next = t;
	if ((t = usage_step(o->every_ms * USAGE_EVERY, os_now_ms())) < next)
		next = t;
	if ((t = logs_step(o->logs, o->every_ms * USAGE_EVERY,
	    os_now_ms())) < next)
		next = t;
	if ((t = kills_step(o->every_ms, os_now_ms())) < next)
		next = t;
	t = next - os_now_ms();
	return t < 0 ? 0 : t;
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	struct host_opts o = { .every_ms = INTERVAL_MS };
	int64_t wait_ms;
	int fd[2], nfds = 1;

	log_open("oom-watcher");
	parse(&o, argc, argv);
	o.logs = getenv("SVTREE_LOG");
	if (wake_open(signals) < 0)
		die(EXIT_SYSTEM, "catch signals");
	fd[0] = wake_fd();
	confine_core();
	confine_self(&(struct confine){ .may_write = false });
	if (http_open() < 0)
		diex(EXIT_SYSTEM, "start the HTTP library");
	read_conf();
	kills_open(o.proc);
	if ((fd[1] = kills_fd()) >= 0)
		nfds++;
	(void)notify_send("READY=1");
	while (take_signals()) {
		wait_ms = step_all(&o);
		(void)http_run(wait_ms > INTERVAL_MS ? INTERVAL_MS :
		    (int)wait_ms, fd, nfds);
	}
	watch_close();
	http_close();
	oom_conf_free();
	return 0;
}
