/* SPDX-License-Identifier: ISC */
/*
 * docker-keeper: is the container engine there? Ready once it answers; says
 * at once when it is gone, and starts it again. Follows the engine's events
 * only to notice its end; when to ask and to start is engine.c's.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "client.h"
#include "conf.h"
#include "die.h"
#include "docker.h"
#include "engine.h"
#include "http.h"
#include "job.h"
#include "log.h"
#include "os.h"
#include "self.h"
#include "usage.h"
#include "wake.h"

#define PING_MS		3000
#define START_MS	120000	/* of the start command */

static const char usage_text[] =
"usage: docker-keeper [-hV]\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"What it does is set in [docker] of its service.conf.\n";

static const struct option options[] = {
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "docker-keeper", usage_text, "hV",
    options };

static struct {
	struct conf_tree conf;
	const char *socket;	/* wanted, or NULL */
	struct docker docker;
	struct engine engine;
	struct job job;
	char	 why[DOCKER_ERR_LEN]; /* the engine does not answer */
	int	 stream;	/* 0: none */
} k;

/* How engines are started where nobody has said it; the first that is here. */
static const struct {
	const char *sign;
	char *argv[5];
} starters[] = {
	{ "/Applications/Docker.app", { "open", "-g", "-a", "Docker" } },
	{ "/Applications/OrbStack.app", { "open", "-g", "-a", "OrbStack" } },
	{ "/run/systemd/system",
	    { "systemctl", "--no-ask-password", "start", "docker" } },
};

static char **start_command;	/* NULL: none */

static void
parse(int argc, char **argv)
{
	(void)usage_next(&usage, argc, argv); /* it has none of its own */
	usage_no_operand(argc, argv);
}

static void
read_conf(void)
{
	const struct conf_service *own;
	static char *copy[5];
	int64_t every_ms = 60000;
	size_t i;

	for (i = 0; i < nitems(starters) && start_command == NULL; i++)
		if (access(starters[i].sign, F_OK) == 0) {
			(void)memcpy(copy, starters[i].argv, sizeof copy);
			start_command = copy;
		}
	own = self_conf(&k.conf);
	k.socket = self_docker_socket(&k.conf, own);
	if (own != NULL && own->docker->start.n > 0)
		start_command = own->docker->start.v;
	if (own != NULL)
		every_ms = own->docker->start_every_ms;
	engine_init(&k.engine, os_now_ms(), every_ms);
}

static void
on_event(void *arg, const struct docker_event *e)
{
	(void)arg;
	(void)e;
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	k.stream = 0;
	engine_doubt(&k.engine, os_now_ms());
}

static void
drop_stream(void)
{
	if (k.stream > 0)
		http_cancel(k.stream);
	k.stream = 0;
}

static void
tell_back(int64_t now_ms)
{
	static bool ready;

	if (ready)
		self_incident("the engine is back after %lld s",
		    (long long)(now_ms - k.engine.lost_ms) / 1000);
	else
		log_info("the engine answers at %s", k.docker.socket);
	ready = true;
	self_health("ok", "answers");
	self_text("engine at %s%s%s", k.docker.socket,
	    k.docker.api[0] != '\0' ? ", API " : "", k.docker.api);
	(void)notify_send("READY=1");
}

static void
tell_gone(void)
{
	self_health("failing", k.why);
	if (start_command == NULL)
		self_text("waits for the engine; no start-command in [docker]");
	else if (k.engine.attempts == 0)
		self_text("waits for the engine");
}

static void
ping(int64_t now_ms)
{
	enum engine_news news;
	bool good = docker_find(&k.docker, k.socket, k.why) == 0 &&
	    docker_ping(&k.docker, PING_MS, k.why) == 0;

	now_ms = good ? now_ms : os_now_ms();
	news = engine_pinged(&k.engine, good, now_ms);
	if (!k.engine.up) {
		drop_stream();
		if (news == ENGINE_LOST)
			self_incident("the engine is gone: %s", k.why);
		tell_gone();
		return;
	}
	if (news == ENGINE_BACK)
		tell_back(now_ms);
	if (good && k.stream <= 0)
		k.stream = docker_events(&k.docker, 0, on_event, on_end,
		    NULL);
}

static const char *
command_text(void)
{
	static char text[80];
	struct buf b;
	int i;

	buf_init(&b, text, sizeof text - 1);
	for (i = 0; start_command[i] != NULL; i++)
		buf_printf(&b, "%s%s", i > 0 ? " " : "", start_command[i]);
	return buf_cstr(&b);
}

static void
start(int64_t now_ms)
{
	if (k.job.pid != 0 || start_command == NULL ||
	    !engine_start_due(&k.engine, now_ms))
		return;
	log_info("starts the engine: %s", command_text());
	if (job_start(&k.job, start_command, JOB_APART, START_MS) < 0)
		log_warn("run %s", start_command[0]);
	self_text("start %d: %s", k.engine.attempts, command_text());
}

static void
step_job(int64_t now_ms)
{
	char why[256];

	if (!job_step(&k.job, now_ms))
		return;
	engine_doubt(&k.engine, now_ms);
	if (job_is_good(&k.job))
		return;
	job_words(&k.job, why, sizeof why);
	log_warnx("%s: %s", command_text(), why);
	if (!k.engine.up)
		self_text("start %d: %s %s", k.engine.attempts,
		    start_command[0], why);
}

/* Returns when it wants to be called again. */
static int64_t
step(void)
{
	int64_t next, now_ms = os_now_ms();

	if (wake_slept()) {	/* the stream may hang for good */
		drop_stream();
		engine_doubt(&k.engine, now_ms);
	}
	step_job(now_ms);
	if (now_ms >= k.engine.ping_at_ms)
		ping(now_ms);
	if (!k.engine.up)
		start(os_now_ms());
	next = self_flush(os_now_ms());
	if (engine_deadline(&k.engine) < next)
		next = engine_deadline(&k.engine);
	if (k.job.pid != 0 && k.job.deadline_ms < next)
		next = k.job.deadline_ms;
	return next;
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

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGCHLD, 0 };
	int64_t wait_ms;
	int fd[2];

	log_open("docker-keeper");
	parse(argc, argv);
	if (wake_open(signals) < 0)
		die(EXIT_SYSTEM, "catch signals");
	if (http_open() < 0)
		diex(EXIT_SYSTEM, "start the HTTP library");
	read_conf();
	fd[0] = wake_fd();
	while (!is_over()) {
		wait_ms = step() - os_now_ms();
		fd[1] = k.job.out;
		(void)http_run(wait_ms < 0 ? 0 : (int)wait_ms, fd,
		    k.job.pid != 0 && k.job.out >= 0 ? 2 : 1);
	}
	/* The engine is not ours to stop: it only ends our watch. */
	http_close();
	conf_free(&k.conf);
	return 0;
}
