/* SPDX-License-Identifier: ISC */
/*
 * recovery-listener: HTTP for those who ask for recovery, for health, for
 * figures. Here are the command line, the token, the signals and the loop;
 * requests are answer.c's, HTTP is web.c's, the supervisor is view.c's.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "answer.h"
#include "buf.h"
#include "client.h"
#include "conf.h"
#include "confine.h"
#include "die.h"
#include "feed.h"
#include "log.h"
#include "os.h"
#include "usage.h"
#include "wake.h"

#define PORT		9099
#define COOLDOWN_MS	10000
#define FILE_MAX	4096

static const char usage_text[] =
"usage: recovery-listener [-hV] [-a host] [-c time] [-l address] [-p port]\n"
"           [-s service] [-T file]\n"
"  -a, --allow-host NAME  one more name that Host may have\n"
"  -c, --cooldown TIME    least time between two recoveries (10s)\n"
"  -l, --listen ADDRESS   an address or interface; may be repeated\n"
"                         ($RECOVERY_LISTENER_ADDRESS, else 127.0.0.1)\n"
"  -p, --port PORT        ($RECOVERY_LISTENER_PORT, else 9099)\n"
"  -s, --service NAME     the oneshot that is run (recover)\n"
"  -T, --token-file FILE  one token, or two while one is replaced\n"
"                         ($RECOVERY_LISTENER_TOKEN_FILE; or the token in\n"
"                         $RECOVERY_LISTENER_TOKEN)\n"
"  -h, --help             this text\n"
"  -V, --version          the version\n";

static const struct option options[] = {
	{ "allow-host",	required_argument,	NULL,	'a' },
	{ "cooldown",	required_argument,	NULL,	'c' },
	{ "listen",	required_argument,	NULL,	'l' },
	{ "port",	required_argument,	NULL,	'p' },
	{ "service",	required_argument,	NULL,	's' },
	{ "token-file",	required_argument,	NULL,	'T' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "recovery-listener", usage_text,
    "a:c:hl:p:s:T:V", options };

static struct answer_opts opts = { .port = PORT, .service = "recover",
    .cooldown_ms = COOLDOWN_MS };
static const char *token_file;
static bool has_address;

static void
set_port(const char *word)
{
	const char *why;

	opts.port = (uint16_t)strtonum(word, 1, UINT16_MAX, &why);
	if (why != NULL)
		diex(EXIT_USAGE, "port %s: wanted is a number from 1 to "
		    "65535", word);
}

static void
add_address(const char *list)
{
	char err[ADDRESS_ERR_LEN];

	if (address_add(list, err) < 0)
		diex(EXIT_USAGE, "%s", err);
	has_address = true;
}

static void
parse(int argc, char **argv)
{
	int c;

	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 'a':
			if (hosts_add(&opts.hosts, optarg) < 0)
				diex(EXIT_USAGE, "too many hosts");
			break;
		case 'c':
			opts.cooldown_ms = conf_duration(optarg);
			if (opts.cooldown_ms < 0)
				diex(EXIT_USAGE, "cooldown %s: wanted is a "
				    "time such as 10s", optarg);
			break;
		case 'l':
			add_address(optarg);
			break;
		case 'p':
			set_port(optarg);
			break;
		case 's':
			opts.service = optarg;
			break;
		case 'T':
			token_file = optarg;
			break;
		}
	usage_no_operand(argc, argv);
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

/* A file that others may read is no secret. 0, or -1 with a reason. */
static int
read_token_file(struct tokens *t, char *err)
{
	char text[FILE_MAX];
	struct stat st;
	ssize_t n = -1;
	int fd = open(token_file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    (n = read(fd, text, sizeof text - 1)) < 0)
		(void)snprintf(err, GUARD_ERR_LEN, "%s", strerror(errno));
	else if ((st.st_mode & 077) != 0)
		(void)snprintf(err, GUARD_ERR_LEN, "others may read it: "
		    "chmod 600");
	else
		(void)snprintf(err, GUARD_ERR_LEN, "%s", "");
	if (fd >= 0)
		(void)close(fd);
	if (n < 0 || err[0] != '\0')
		return -1;
	text[n] = '\0';
	return tokens_parse(t, text, err);
}

/* From the file, else from the environment, which then forgets it. */
static void
read_tokens(bool first)
{
	const char *value = environment("RECOVERY_LISTENER_TOKEN");
	struct tokens t = { .n = 0 };
	char err[GUARD_ERR_LEN] = "";

	if (token_file != NULL) {
		if (read_token_file(&t, err) == 0)
			opts.tokens = t;
		else if (first)
			diex(EXIT_USAGE, "token file %s: %s", token_file,
			    err);
		else
			log_warnx("token file %s: %s; the tokens of before "
			    "stay", token_file, err);
		return;
	}
	if (!first || value == NULL)
		return;
	if (tokens_parse(&opts.tokens, value, err) < 0)
		diex(EXIT_USAGE, "RECOVERY_LISTENER_TOKEN: %s", err);
	(void)unsetenv("RECOVERY_LISTENER_TOKEN");
}

/* False when it is time to go. */
static bool
take_signals(void)
{
	int signo;

	while ((signo = wake_next()) != 0) {
		if (signo != SIGHUP)
			return false;
		read_tokens(false);
	}
	return true;
}

static void
serve(void)
{
	char err[ADDRESS_ERR_LEN];
	int64_t next, fed;
	bool first = true;
	int fd[2];

	web_open(answer);
	feed_open();
	do {
		if (address_serve(opts.port, first, os_now_ms(), &next,
		    &opts.hosts, err) < 0)
			diex(EXIT_SYSTEM, "%s", err);
		if (first) {	/* by now the holder of a port is named */
			confine_self(&(struct confine){ .port = opts.port });
			(void)notify_send("READY=1");
		}
		first = false;
		fed = feed_step(os_now_ms());
		fd[0] = wake_fd();
		fd[1] = feed_fd();
		(void)web_wait(fed < next ? fed : next, fd, 2);
	} while (take_signals());
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	const char *value;

	log_open("recovery-listener");
	hosts_init(&opts.hosts);
	if ((value = environment("RECOVERY_LISTENER_PORT")) != NULL)
		set_port(value);
	token_file = environment("RECOVERY_LISTENER_TOKEN_FILE");
	parse(argc, argv);
	confine_core();
	if (!has_address)
		add_address((value = environment(
		    "RECOVERY_LISTENER_ADDRESS")) != NULL ? value :
		    "127.0.0.1");
	read_tokens(true);
	if (wake_open(signals) < 0)
		die(EXIT_SYSTEM, "take signals");
	answer_open(&opts);
	serve();
	return 0;
}
