/* SPDX-License-Identifier: ISC */
/*
 * container-keeper: one container as one service. Here are the command line,
 * the loop, readiness and the end. What to do when is keeper.c's; the engine is
 * asked by keeper_link.c, compose run by keeper_up.c, all told by
 * keeper_tell.c.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "client.h"
#include "conf.h"
#include "confine.h"
#include "die.h"
#include "docker.h"
#include "http.h"
#include "job.h"
#include "keeper.h"
#include "keeper_link.h"
#include "keeper_log.h"
#include "keeper_tell.h"
#include "keeper_tree.h"
#include "keeper_up.h"
#include "log.h"
#include "os.h"
#include "self.h"
#include "usage.h"
#include "wake.h"

/* The keeper before us: the death that ended it is looked for among the events
 * from a bit before its exit on, the output is taken up where it left it. Only
 * when that was not too long ago. */
#define PAST_US		INT64_C(120000000)
#define PAST_MORE_US	INT64_C(3000000)
#define DRAIN_MS	1000	/* for the container's last words */
#define STOP_MORE_MS	5000	/* for the engine, above the container's */

static const char usage_text[] =
"usage: container-keeper [-hV] [name]\n"
"  name                  of the container, when [container] has none\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"What it does is set in [container] of its service.conf.\n";

static const struct option options[] = {
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "container-keeper", usage_text, "hV",
    options };

static struct {
	struct conf_tree conf;
	const struct conf_service *own;
	struct conf_container box;
	struct keeper keeper;
	struct link link;
	struct up up;
	struct keeper_log log;
	bool	 ready;
	bool	 held;		/* we asked to be stopped */
} k;

static void
parse(int argc, char **argv)
{
	(void)usage_next(&usage, argc, argv); /* it has none of its own */
	if (argc - optind > 1)
		diex(EXIT_USAGE, "%s: one name is right", argv[optind + 1]);
	k.box.name = argv[optind];
}

static void
read_conf(void)
{
	char *name = k.box.name;

	k.own = self_conf(&k.conf);
	if (k.own == NULL)
		diex(EXIT_USAGE, "no service.conf: run it as a service of "
		    "svtree");
	k.box = *k.own->container;
	if (k.box.name == NULL)
		k.box.name = name;
	else if (name != NULL && strcmp(name, k.box.name) != 0)
		diex(EXIT_USAGE, "the container is %s here and %s in "
		    "[container] name: one of them is right", name,
		    k.box.name);
	if (k.box.name == NULL || k.box.compose == NULL)
		diex(EXIT_USAGE, "[container] of service.conf needs name and "
		    "compose");
	keeper_tell_begin(k.box.name, k.own->health->type != NULL);
}

/* --- steps */

/* A stop by order, where that is to count as svctl stop does. SIGTERM follows
 * from it. */
static bool
hold(void)
{
	/* An engine that ends stops all its containers, too. */
	return !k.box.outside_start && k.keeper.death == DEATH_DELIBERATE &&
	    link_answers(&k.link) &&
	    keeper_ask_stop(k.own->name, keeper_last_words());
}

/* What the container says, as long as it runs. */
static void
follow_output(void)
{
	enum seen seen = keeper_seen(&k.link.seen);

	if (k.keeper.phase == PH_ENGINE)
		log_drop(&k.log);
	else if (k.box.logs && (seen == SEEN_RUNNING || seen == SEEN_PAUSED))
		log_follow(&k.log, k.link.seen.tty);
}

static void
leave(void)
{
	if (k.box.logs && k.link.seen.exists)
		log_drain(&k.log, k.link.seen.tty, DRAIN_MS);
	keeper_tell_exit(&k.keeper);
	(void)self_flush(os_now_ms());
	if (!hold())
		exit(k.keeper.exit_code);
}

static void
say_running(void)
{
	keeper_tell_running(&k.keeper, &k.link.seen);
	if (!k.ready && !k.keeper.paused) {
		(void)notify_send("READY=1");
		k.ready = true;
	}
}

static void
step_up(void)
{
	char why[256];

	switch (up_step(&k.up, os_now_ms(), why, sizeof why)) {
	case UP_BUSY:
		return;
	case UP_DONE:
		keeper_upped(&k.keeper, os_now_ms());
		return;
	case UP_FAILED:
		break;
	}
	if (!link_answers(&k.link)) {	/* then it was not compose's fault */
		link_lost(&k.link);
		return;
	}
	keeper_tell_up_failed(why);
	(void)self_flush(os_now_ms());
	/* What a killed compose left behind ends with our group. */
	exit(EXIT_SYSTEM);
}

/* Once, when the engine is known. What rootless Podman's own compose does
 * begins with a name space and newuidmap(1), which is setuid. */
static void
confine_to(const char *socket)
{
	static bool done;
	char real[PATH_MAX];

	if (done || socket[0] == '\0')
		return;
	done = true;
	if (realpath(socket, real) != NULL && strstr(real, "podman") != NULL)
		log_info("not confined: compose needs name spaces and "
		    "newuidmap(1) where the engine is Podman");
	else	/* compose may write what it likes */
		confine_self(&(struct confine){ .may_write = true });
}

static void
act(enum step step)
{
	switch (step) {
	case STEP_WAIT:
		break;
	case STEP_LOOK:
		act(link_look(&k.link));
		follow_output();
		break;
	case STEP_FIND:
		link_find(&k.link);
		confine_to(k.link.docker.socket);
		break;
	case STEP_UP:
		keeper_tell_up(&k.keeper);
		if (up_start(&k.up, k.link.docker.socket) < 0)
			die(EXIT_SYSTEM, "make a process");
		break;
	case STEP_RUNNING:
		say_running();
		break;
	case STEP_DOCKER:
		keeper_tell_docker(&k.keeper, &k.link.seen);
		break;
	case STEP_EXIT:
		leave();
		break;
	}
}

/* Returns when it wants to be called again. */
static int64_t
step_all(void)
{
	int64_t next, due;

	if (wake_slept()) {	/* the streams may hang for good */
		link_reopen(&k.link);
		log_drop(&k.log);
	}
	step_up();
	act(keeper_due(&k.keeper, os_now_ms()));
	next = self_flush(os_now_ms());
	due = keeper_deadline(&k.keeper);
	if (due < next)
		next = due;
	if (k.up.job.pid != 0 && k.up.job.deadline_ms < next)
		next = k.up.job.deadline_ms;
	return next;
}

static void
wait_until(int64_t at_ms)
{
	int64_t ms = at_ms - os_now_ms();
	int fd[2] = { wake_fd(), k.up.job.out };

	if (ms < 0)
		ms = 0;
	(void)http_run(ms > INT32_MAX ? -1 : (int)ms, fd,
	    k.up.job.pid != 0 && k.up.job.out >= 0 ? 2 : 1);
}

static bool
is_over(void)
{
	int signo;

	while ((signo = wake_next()) != 0)
		if (signo == SIGTERM || signo == SIGINT)
			return true;
	return false;
}

/* --- the end */

static int
stop_container(void)
{
	int seconds = (int)((k.box.stop_timeout_ms + 999) / 1000);
	char why[DOCKER_ERR_LEN];

	if (k.up.job.pid != 0) {
		k.up.job.deadline_ms = 0;	/* now: SIGTERM, then SIGKILL */
		while (!job_step(&k.up.job, os_now_ms()))
			wait_until(k.up.job.deadline_ms);
	}
	if (!k.box.stop || k.keeper.phase == PH_ENGINE)
		return 0;
	self_text("stops the container, which has %d s for it", seconds);
	(void)self_flush(os_now_ms());
	if (docker_stop(&k.link.docker, k.box.name, seconds,
	    seconds * 1000 + STOP_MORE_MS, why) == 0) {
		if (k.box.logs && k.log.id > 0)
			log_drain(&k.log, k.link.seen.tty, DRAIN_MS);
		return 0;
	}
	log_warnx("stop container %s: %s", k.box.name, why);
	return EXIT_NO;
}

/* Where Docker Desktop puts docker and its credential helpers. */
static void
widen_path(void)
{
	const char *path = getenv("PATH"), *home = getenv("HOME");
	char wide[4096];

	if (snprintf(wide, sizeof wide, "%s:/Applications/Docker.app/"
	    "Contents/Resources/bin%s%s%s", path != NULL ? path :
	    conf_default_path(), home != NULL ? ":" : "",
	    home != NULL ? home : "", home != NULL ? "/.docker/bin" : "") <
	    (int)sizeof wide)
		(void)setenv("PATH", wide, 1);
}

static void
begin(void)
{
	int64_t at_us = 0, now_us = os_wall_us();
	int code = 0;
	bool after = keeper_past(k.own->name, &code, &at_us) &&
	    now_us - at_us < PAST_US;

	keeper_init(&k.keeper, after ? code : 0, os_now_ms());
	link_init(&k.link, &k.keeper, k.box.name,
	    self_docker_socket(&k.conf, k.own));
	if (after)
		k.link.since_ns = (at_us - PAST_MORE_US) * 1000;
	/* No line of the container is lost while there is no keeper. */
	log_init(&k.log, &k.link.docker, k.box.name, after ? at_us : now_us);
	up_init(&k.up, &k.conf, k.own, &k.box);
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGCHLD, 0 };
	int code;

	log_open("container-keeper");
	parse(argc, argv);
	if (wake_open(signals) < 0)
		die(EXIT_SYSTEM, "catch signals");
	confine_core();
	if (http_open() < 0)
		diex(EXIT_SYSTEM, "start the HTTP library");
	read_conf();
	widen_path();
	begin();
	while (!is_over())
		wait_until(step_all());
	code = stop_container();
	http_close();
	conf_free(&k.conf);
	return code;
}
