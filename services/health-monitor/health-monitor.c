/* SPDX-License-Identifier: ISC */
/*
 * health-monitor: asks every service with a [health] section how it is. Here
 * are the command line, the signals and the loop; health_link.c follows the
 * supervisor, health_watch.c does the asking.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "buf.h"
#include "client.h"
#include "confine.h"
#include "die.h"
#include "health.h"
#include "http.h"
#include "latency.h"
#include "log.h"
#include "os.h"
#include "self.h"
#include "usage.h"
#include "wake.h"


static const char usage_text[] =
"usage: health-monitor [-hV]\n"
"  -h, --help      this text\n"
"  -V, --version   the version\n"
"It follows the supervisor of $SVTREE_RUN and reads $SVTREE_SERVICES.\n";

static const struct option options[] = {
	{ "help",	no_argument,	NULL,	'h' },
	{ "version",	no_argument,	NULL,	'V' },
	{ NULL,		0,		NULL,	0 },
};

static const struct usage usage = { "health-monitor", usage_text, "hV",
    options };

static void
parse(int argc, char **argv)
{
	(void)usage_next(&usage, argc, argv); /* it has none of its own */
	usage_no_operand(argc, argv);
}

/* The signals that came. False when it is time to go. */
static bool
take_signals(void)
{
	bool again = false;
	int signo;

	while ((signo = wake_next()) != 0) {
		if (signo == SIGTERM || signo == SIGINT)
			return false;
		again |= signo == SIGHUP;
	}
	if (again)
		link_reload();
	return true;
}

static void
check_naps(int64_t due_ms)
{
	static struct naps naps;
	int64_t now = os_now_ms();
	int64_t lost = naps_lost(&naps, now, os_awake_ms(), due_ms);

	if (lost == 0)
		return;
	log_info("%lld s were lost to sleep, or we were stopped: what was "
	    "asked before does not count", (long long)(lost / 1000));
	watch_lost(lost, now);
}

/* When to look again, os_now_ms; -1: when something happens. */
static int64_t
step_all(void)
{
	int64_t next = link_step(os_now_ms()), at = watch_step(os_now_ms());

	if (at < next)
		next = at;
	tell_self();
	if ((at = self_flush(os_now_ms())) < next)
		next = at;
	return next == INT64_MAX ? -1 : next;
}

static void
wait_and_read(int64_t due_ms)
{
	int fd[HTTP_FDS] = { wake_fd() }, n = 1, has_link = link_fd() >= 0;
	int64_t left = due_ms - os_now_ms();
	unsigned ready;

	if (has_link)
		fd[n++] = link_fd();
	n += watch_fds(fd + n, HTTP_FDS - n);
	ready = http_run(due_ms < 0 ? -1 : left <= 0 ? 0 : left > 60000 ?
	    60000 : (int)left, fd, n);
	check_naps(due_ms);
	if (has_link && (ready & 2) != 0)
		link_read();
}

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD, 0 };

int
main(int argc, char **argv)
{
	log_open("health-monitor");
	parse(argc, argv);
	if (!getenv("SVTREE_SERVICES"))
		diex(EXIT_USAGE, "SVTREE_SERVICES is not set: it is run by "
		    "svtree, as a service");
	confine_core();
	/* Commands that probe may write what they like. */
	confine_self(&(struct confine){ .may_write = true,
	    .looks = true });
	if (http_open() < 0)
		diex(EXIT_SYSTEM, "start the HTTP library");
	if (wake_open(signals) < 0)
		die(EXIT_SYSTEM, "take signals");
	if (targets_load() < 0)
		log_warnx("the services are not read: nothing is probed "
		    "until a reload");
	budget_load();
	latency_open();
	(void)notify_send("READY=1");
	while (take_signals())
		wait_and_read(step_all());
	targets_free();
	link_close();
	http_close();
	return 0;
}
