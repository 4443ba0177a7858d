/* SPDX-License-Identifier: ISC */
/* Tests of the HTTP client against a server of a few lines, which is a child
 * process and answers by the path that is asked for. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "docker.h"
#include "http.h"

#define LATE_MS 30000		/* of a whole test: a loaded machine */

static pid_t server;
static int port;
static char socket_path[64];

static void
say(int fd, const char *text)
{
	size_t n = strlen(text);
	ssize_t put;

	while (n > 0 && (put = write(fd, text, n)) > 0) {
		text += put;
		n -= (size_t)put;
	}
}

static void
say_many(int fd, char c, size_t n)
{
	char block[4096];

	(void)memset(block, c, sizeof block);
	for (; n >= sizeof block; n -= sizeof block)
		if (write(fd, block, sizeof block) != sizeof block)
			return;
	(void)!write(fd, block, n);
}

#define HEAD "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\n"

static void
stream(int fd)
{
	say(fd, HEAD "Transfer-Encoding: chunked\r\n\r\n");
	say(fd, "3\r\none\r\n");
	say(fd, "6\r\n\n\ntwo\n\r\n");
	say(fd, "4b000\r\n");		/* 300 KiB: too long for a line */
	say_many(fd, 'x', 0x4b000);
	say(fd, "\r\n7\r\n\nthree\n\r\n");
	say(fd, "4\r\nlast\r\n0\r\n\r\n");
}

/* Shows method and body of the request. */
static void
mirror(int fd, const char *request)
{
	const char *body = strstr(request, "\r\n\r\n");
	char text[8192];

	(void)snprintf(text, sizeof text, HEAD "Connection: close\r\n\r\n"
	    "%.*s %s %s", (int)strcspn(request, " "), request,
	    strstr(request, "Content-Type: application/json") ? "json" : "-",
	    body != NULL ? body + 4 : "");
	say(fd, text);
}

static void
answer(int fd, const char *request)
{
	const char *path = strchr(request, ' ') + 1;

	if (strncmp(path, "/silent", 7) == 0)
		(void)pause();
	else if (strncmp(path, "/hangup", 7) == 0)
		return;
	else if (strncmp(path, "/half", 5) == 0)
		say(fd, HEAD "Content-Length: 100\r\n\r\nhalf");
	else if (strncmp(path, "/stall", 6) == 0) {
		say(fd, HEAD "Content-Length: 100\r\n\r\nhalf");
		(void)pause();
	} else if (strncmp(path, "/big", 4) == 0) {
		say(fd, HEAD "Connection: close\r\n\r\n");
		say_many(fd, 'b', 1 << 20);
	} else if (strncmp(path, "/busy", 5) == 0)
		say(fd, "HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n"
		    "later");
	else if (strncmp(path, "/moved", 6) == 0)
		say(fd, "HTTP/1.1 302 Found\r\nLocation: /ok\r\n"
		    "Content-Length: 0\r\n\r\n");
	else if (strncmp(path, "/rude", 5) == 0)
		say(fd, "220 ready\r\n");
	else if (strncmp(path, "/stream", 7) == 0)
		stream(fd);
	else if (strncmp(path, "/endless", 8) == 0) {
		say(fd, HEAD "\r\nfirst\n");
		(void)pause();
	} else
		mirror(fd, request);
}

/* A request's head, and its body as far as it came along. */
static void
serve_one(int fd)
{
	char request[4096];
	size_t len = 0;
	ssize_t n;

	while (len < sizeof request - 1 &&
	    (n = read(fd, request + len, sizeof request - 1 - len)) > 0) {
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") != NULL &&
		    (strncmp(request, "POST", 4) != 0 ||
		    strchr(request, '}') != NULL ||
		    strstr(request, "Content-Length: 0") != NULL)) {
			answer(fd, request);
			break;
		}
	}
}

static void
serve(int tcp, int local)
{
	struct pollfd p[2] = { { .fd = tcp, .events = POLLIN },
	    { .fd = local, .events = POLLIN } };
	int i, fd;

	(void)signal(SIGCHLD, SIG_IGN);
	(void)alarm(LATE_MS / 1000);
	while (poll(p, 2, -1) > 0)
		for (i = 0; i < 2; i++)
			if (p[i].revents != 0 &&
			    (fd = accept(p[i].fd, NULL, NULL)) >= 0) {
				if (fork() == 0) {
					(void)close(tcp);
					(void)close(local);
					(void)alarm(LATE_MS / 1000);
					serve_one(fd);
					_exit(0);
				}
				(void)close(fd);
			}
	_exit(1);
}

static void
set_up(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof in;
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int local = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(socket_path, sizeof socket_path, "/tmp/svhttp.%d",
	    (int)getpid());
	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", socket_path);
	(void)unlink(socket_path);
	cr_assert_eq(bind(tcp, (struct sockaddr *)&in, sizeof in), 0);
	cr_assert_eq(bind(local, (struct sockaddr *)&un, sizeof un), 0);
	cr_assert_eq(getsockname(tcp, (struct sockaddr *)&in, &len), 0);
	cr_assert(listen(tcp, 64) == 0 && listen(local, 64) == 0);
	port = ntohs(in.sin_port);
	if ((server = fork()) == 0)
		serve(tcp, local);
	(void)close(tcp);
	(void)close(local);
	cr_assert_eq(http_open(), 0);
}

static void
tear_down(void)
{
	http_close();
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	(void)unlink(socket_path);
}

TestSuite(http, .init = set_up, .fini = tear_down);

static int
get(const char *path, int total_ms, struct http_result *r, char *body,
    size_t cap)
{
	char url[128];
	struct http_request rq = { .url = url, .connect_ms = 20000,
	    .total_ms = total_ms, .max_body = cap,
	    .want_header = "api-version" };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
	return http_do(&rq, r, body, cap);
}

Test(http, answers_come_whole)
{
	struct http_result r;
	char body[4096];

	cr_assert_eq(get("/ok", 20000, &r, body, sizeof body), 200, "%s",
	    r.err);
	cr_expect_str_eq(body, "GET - ");
	cr_expect_str_eq(r.header, "1.41");
	cr_expect_str_eq(r.err, "");
	cr_expect_not(r.timed_out || r.refused || r.cut);
}

Test(http, posts_over_a_unix_socket)
{
	struct http_request rq = { .url = "http://any/ok", .unix_socket =
	    socket_path, .method = "POST", .body = "{\"a\":1}",
	    .connect_ms = 20000, .total_ms = 20000, .max_body = 100 };
	struct http_result r;
	char body[128];

	cr_assert_eq(http_do(&rq, &r, body, sizeof body), 200, "%s", r.err);
	cr_expect_str_eq(body, "POST json {\"a\":1}");
	rq.body = NULL;
	cr_assert_eq(http_do(&rq, &r, body, sizeof body), 200, "%s", r.err);
	cr_expect_str_eq(body, "POST - ");
}

static char logs_why[DOCKER_ERR_LEN];
static int logs_ended;

static void
on_logs(void *arg, const char *stamp, const char *bytes, size_t n)
{
	(void)arg;
	(void)stamp;
	(void)bytes;
	(void)n;
}

static void
on_logs_end(void *arg, const char *why)
{
	(void)arg;
	(void)snprintf(logs_why, sizeof logs_why, "%s", why);
	logs_ended++;
}

Test(http, the_end_of_a_container_s_output_has_a_reason)
{
	struct docker_logs l;
	struct docker d;

	(void)memset(&d, 0, sizeof d);
	(void)snprintf(d.socket, sizeof d.socket, "%s", socket_path);
	cr_assert_geq(docker_logs(&d, &l, "a", true, 1500000, on_logs,
	    on_logs_end, NULL), 0);
	while (logs_ended == 0)
		(void)http_run(1000, NULL, 0);
	cr_expect_str_eq(logs_why, "");
	(void)snprintf(d.socket, sizeof d.socket, "/nowhere/socket");
	cr_assert_geq(docker_logs(&d, &l, "a", false, 0, on_logs,
	    on_logs_end, NULL), 0);
	while (logs_ended == 1)
		(void)http_run(1000, NULL, 0);
	cr_expect_neq(logs_why[0], '\0');
}

Test(http, proxies_of_the_environment_are_not_asked)
{
	struct http_result r;
	char body[64];

	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	(void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	cr_expect_eq(get("/ok", 20000, &r, body, sizeof body), 200, "%s",
	    r.err);
}

Test(http, a_status_is_told_and_not_followed)
{
	struct http_result r;
	char body[64];

	cr_expect_eq(get("/busy", 20000, &r, body, sizeof body), 503);
	cr_expect_str_eq(body, "later");
	cr_expect_eq(get("/moved", 20000, &r, body, sizeof body), 302);
}

Test(http, a_long_body_is_cut)
{
	struct http_result r;
	char body[64];

	cr_expect_eq(get("/big", 20000, &r, body, sizeof body), 200, "%s",
	    r.err);
	cr_expect(r.cut);
	cr_expect_eq(r.len, sizeof body - 1);
	cr_expect_eq(strlen(body), sizeof body - 1);
}

Test(http, silence_ends_at_the_deadline)
{
	struct http_result r;
	char body[64];

	cr_expect_eq(get("/silent", 50, &r, body, sizeof body), 0);
	cr_expect(r.timed_out);
	cr_expect_str_eq(r.err, "no answer within 50 ms");
	cr_expect_geq(r.elapsed_ms, 50);
	/* Half an answer is none, but what came is there to be seen. */
	cr_expect_eq(get("/stall", 200, &r, body, sizeof body), 0);
	cr_expect(r.timed_out);
	cr_expect_str_eq(body, "half");
}

Test(http, faults_are_told_apart)
{
	struct http_request nobody = { .url = "http://x/", .unix_socket =
	    "/tmp/no/such/socket", .connect_ms = 20000, .total_ms = 20000 };
	struct http_result r;
	char body[64];

	cr_expect_eq(get("/hangup", 20000, &r, body, sizeof body), 0);
	cr_expect_not(r.refused || r.timed_out);
	cr_expect_str_not_empty(r.err);
	cr_expect_eq(get("/half", 20000, &r, body, sizeof body), 0);
	cr_expect_not(r.refused || r.timed_out);
	cr_expect_eq(get("/rude", 20000, &r, body, sizeof body), 0);
	cr_expect_not(r.refused || r.timed_out);
	cr_expect_eq(http_do(&nobody, &r, body, sizeof body), 0);
	cr_expect(r.refused);
	cr_expect_not_null(strstr(r.err, "No such file"), "%s", r.err);
	nobody.unix_socket = NULL;
	nobody.url = "file:///etc/passwd";
	cr_expect_eq(http_do(&nobody, &r, body, sizeof body), 0);
	cr_expect_str_not_empty(r.err);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	cr_expect_eq(get("/ok", 20000, &r, body, sizeof body), 0);
	cr_expect(r.refused);
	cr_expect_not_null(strstr(r.err, "refused"), "%s", r.err);
}

/* --- side by side */

static char lines[256];
static int ended, last_status, count;

static void
on_line(void *arg, const char *line, size_t len)
{
	(void)arg;
	(void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines),
	    "%.*s|", (int)len, line);
}

static void
on_done(void *arg, const struct http_result *r)
{
	(void)arg;
	ended++;
	last_status = r->status;
	if (r->status == 200 && strcmp(r->body, "GET - ") == 0)
		count++;
}

static int
start(const char *path, http_line *line, int total_ms)
{
	char url[128];
	struct http_request rq = { .url = url, .connect_ms = 20000,
	    .total_ms = total_ms, .max_body = 64 };

	(void)snprintf(url, sizeof url, "http://127.0.0.1:%d%s", port, path);
	return http_start(&rq, on_done, line, NULL);
}

static void
run_until(const int *value, int wanted)
{
	int i;

	for (i = 0; *value < wanted && i < 10000; i++)
		(void)http_run(LATE_MS, NULL, 0);
	cr_assert_geq(*value, wanted);
}

Test(http, many_run_side_by_side)
{
	int i;

	cr_assert_gt(start("/silent", NULL, 20000), 0);
	for (i = 0; i < 50; i++)
		cr_assert_gt(start("/ok", NULL, 20000), 0);
	run_until(&ended, 50);
	cr_expect_eq(count, 50);
	cr_expect_eq(ended, 50);
}

Test(http, a_stream_comes_line_by_line)
{
	cr_assert_gt(start("/stream", on_line, 0), 0);
	run_until(&ended, 1);
	cr_expect_eq(last_status, 200);
	/* The line of 300 KiB is missing, and that is all. */
	cr_expect_str_eq(lines, "one|two|three|last|");
}

Test(http, an_error_is_no_stream)
{
	cr_assert_gt(start("/busy", on_line, 0), 0);
	run_until(&ended, 1);
	cr_expect_eq(last_status, 503);
	cr_expect_str_eq(lines, "");
}

static int stream_id;

static void
cancel_and_start(void *arg, const char *line, size_t len)
{
	on_line(arg, line, len);
	http_cancel(stream_id);
	cr_expect_gt(start("/ok", NULL, 20000), 0);
}

Test(http, callbacks_may_cancel_and_start)
{
	stream_id = start("/endless", cancel_and_start, 0);
	cr_assert_gt(stream_id, 0);
	run_until(&ended, 1);
	cr_expect_str_eq(lines, "first|");
	cr_expect_eq(count, 1);
	http_cancel(stream_id);		/* long over */
	cr_expect_eq(http_run(0, NULL, 0), 0u);
	cr_expect_eq(ended, 1);
}

Test(http, a_cancelled_request_says_nothing)
{
	int id = start("/ok", NULL, 20000);

	http_cancel(id);
	cr_assert_gt(start("/busy", NULL, 20000), 0);
	run_until(&ended, 1);
	cr_expect_eq(count, 0);
}

Test(http, descriptors_end_the_wait)
{
	int a[2], b[2], fd[2];

	cr_assert(pipe(a) == 0 && pipe(b) == 0);
	fd[0] = a[0];
	fd[1] = b[0];
	cr_expect_eq(http_run(0, fd, 2), 0u);
	cr_expect_eq(write(b[1], "x", 1), 1);
	cr_expect_eq(http_run(LATE_MS, fd, 2), 2u);
	(void)close(a[1]);		/* an end is an event, too */
	cr_expect_eq(http_run(LATE_MS, fd, 2), 3u);
}

Test(http, sockets_are_close_on_exec)
{
	int fd, flags, sockets = 0;
	struct sockaddr_in in;
	socklen_t len;

	cr_assert_gt(start("/endless", on_line, 0), 0);
	while (strcmp(lines, "first|") != 0)
		(void)http_run(LATE_MS, NULL, 0);
	for (fd = 3; fd < 64; fd++) {
		len = sizeof in;
		if (getpeername(fd, (struct sockaddr *)&in, &len) < 0 ||
		    in.sin_family != AF_INET || ntohs(in.sin_port) != port)
			continue;
		flags = fcntl(fd, F_GETFD);
		cr_expect(flags >= 0 && (flags & FD_CLOEXEC));
		sockets++;
	}
	cr_expect_eq(sockets, 1);
}
