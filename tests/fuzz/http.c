/* SPDX-License-Identifier: ISC */
/*
 * Any bytes to recovery-listener, through libmicrohttpd, in pieces. What was
 * asked is judged by http_asked.c, which reads the bytes by itself: nothing
 * is done for who may not ask, nothing told, one answer to a connection, and
 * no connection outlives its time.
 *
 * The first byte says at which door, with which tokens, and whether the
 * client closes its side; the second how long the pieces are.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "answer.h"
#include "fuzz.h"
#include "http_asked.h"
#include "http_fakes.h"
#include "web_conn.h"

#define OUTER	1	/* not a loopback address */
#define TOKEN	2	/* a token is wanted, and known */
#define SECRET	4	/* a token is wanted that nobody knows */
#define CLOSES	8
#define ROUNDS	200

static struct answer_opts opts = { .port = 9099, .cooldown_ms = 10000,
    .service = "recover" };
static char secret[33];
static char reply[1024 * 1024];
static size_t len;

static struct sockaddr_un
address(bool outer)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	(void)snprintf(sa.sun_path + 1, sizeof sa.sun_path - 1,
	    "svfuzz-%d-%d", (int)getpid(), outer);
	return sa;
}

static void
begin(void)
{
	struct sockaddr_un inner = address(false), outer = address(true);
	uint64_t dice[2];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

	PROMISE(fd >= 0 && read(fd, dice, sizeof dice) == sizeof dice,
	    "no random bytes");
	(void)close(fd);
	(void)snprintf(secret, sizeof secret, "%016llx%016llx",
	    (unsigned long long)dice[0], (unsigned long long)dice[1]);
	hosts_init(&opts.hosts);
	answer_open(&opts);
	web_open(answer);
	(void)setenv("SVTREE_LOG", "/log", 1);
	PROMISE(web_listen((struct sockaddr *)&inner, sizeof inner, true) ==
	    0 && web_listen((struct sockaddr *)&outer, sizeof outer,
	    false) == 0, "no socket");
}

static void
choose_tokens(uint8_t how)
{
	char err[GUARD_ERR_LEN];

	opts.tokens.n = 0;
	if (how & (TOKEN | SECRET))
		(void)tokens_parse(&opts.tokens, how & SECRET ? secret :
		    ASKED_TOKEN, err);
}

static int
dial(bool outer)
{
	struct sockaddr_un sa = address(outer);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	PROMISE(fd >= 0 && connect(fd, (struct sockaddr *)&sa,
	    sizeof sa) == 0, "not taken");
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Lets the listener work, and reads. True at the end of the answer. */
static bool
turn(int fd)
{
	ssize_t n;

	(void)web_wait(fuzz_now_ms(), NULL, 0);
	while ((n = recv(fd, reply + len, sizeof reply - 1 - len, 0)) > 0)
		len += (size_t)n;
	PROMISE(len < sizeof reply - 1, "an endless answer");
	return n == 0 || (n < 0 && errno != EAGAIN);
}

static bool
say(int fd, const uint8_t *bytes, size_t n, size_t piece)
{
	bool over = false;
	size_t i, size;
	int tries;

	for (i = 0; i < n && !over; i += size) {
		size = n - i < piece ? n - i : piece;
		tries = 0;
		while (send(fd, bytes + i, size, MSG_NOSIGNAL) < 0 &&
		    errno == EAGAIN && tries++ < ROUNDS)
			over = turn(fd);
		over = turn(fd);
	}
	return over;
}

/* Reads to the end, which comes by itself when the time is up. */
static void
hear(int fd)
{
	int i;

	for (i = 0; i < 8; i++)
		if (turn(fd))
			return;
	if (web_streams() > 0)
		return;
	fuzz_pass(CONN_TOTAL_MS + 1);
	for (i = 0; i < ROUNDS; i++)
		if (turn(fd))
			return;
	PROMISE(false, "a connection outlives its time");
}

/* The client has gone: nothing of it stays. */
static void
forget(void)
{
	int i;

	for (i = 0; i < ROUNDS && (web_streams() > 0 ||
	    conn_deadline() != INT64_MAX); i++)
		(void)web_wait(fuzz_now_ms(), NULL, 0);
	PROMISE(i < ROUNDS, "a connection stays behind");
}

static void
judge(const uint8_t *bytes, size_t n, uint8_t how)
{
	struct asked a;
	int status;

	asked_read(&a, (const char *)bytes, n);
	reply[len] = '\0';
	status = asked_status(reply, len);
	PROMISE(fuzz_deeds() <= 1, "%d deeds", fuzz_deeds());
	if (how & SECRET)
		PROMISE(fuzz_deeds() == 0, "done without the token");
	if (how & SECRET && how & OUTER)
		PROMISE(strstr(reply, FUZZ_MARK) == NULL,
		    "told without the token");
	if (fuzz_deeds() == 0)
		return;
	PROMISE(status == 200 || status == 202 || status == 0,
	    "done, and answered by %d", status);
	PROMISE(asked_may_act(&a, how & TOKEN), "done, though %s", a.why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	uint8_t how;
	bool over;
	int fd;

	if (secret[0] == '\0')
		begin();
	if (n < 2)
		return 0;
	how = bytes[0];
	len = 0;
	fuzz_begin();
	choose_tokens(how);
	fd = dial(how & OUTER);
	over = say(fd, bytes + 2, n - 2, (size_t)bytes[1] + 1);
	if (how & CLOSES)
		(void)shutdown(fd, SHUT_WR);
	if (!over)
		hear(fd);
	(void)close(fd);
	forget();
	judge(bytes + 2, n - 2, how);
	return 0;
}
