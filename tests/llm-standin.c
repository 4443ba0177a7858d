/* SPDX-License-Identifier: ISC */
/*
 * llm-standin: a server for tests, and for `./dev run` on a machine without
 * a real one. Under the name ollama it is Ollama, under a name that begins
 * with mlx or uvicorn the MLX server; else the first argument says which:
 * ollama, mlx or openai. It listens where the real one would: $OLLAMA_HOST,
 * --host and --port, $MLX_API_PORT.
 *
 * $STANDIN_MODELS names its models, $STANDIN_FAULT a fault from the start
 * (standin_fault.c lists them), $STANDIN_START_MS how long it only listens
 * and does not accept, as Ollama does while it looks for a GPU.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "os.h"
#include "standin.h"

#define CONNS		128
#define IN_MAX		8192
#define OUT_MAX		16384

struct conn {
	int	 fd;		/* -1: free */
	bool	 asked;		/* a whole request was read */
	bool	 answered;	/* out is to be sent, from due_ms on */
	int64_t	 due_ms;
	size_t	 sent;
	struct buf in, out;
	char	 in_mem[IN_MAX], out_mem[OUT_MAX];
};

static struct standin self = { .exit_code = -1, .busy_status = 503 };
static struct conn conns[CONNS];
static int wake[2];

int64_t
standin_now_ms(void)
{
	return os_now_ms();
}

static void
on_signal(int signo)
{
	int saved = errno;
	char c = (char)signo;

	(void)!write(wake[1], &c, 1);
	errno = saved;
}

/* --- requests */

static const char *
reason_of(int status)
{
	return status == 200 ? "OK" : status == 404 ? "Not Found" :
	    status == 429 ? "Too Many Requests" : status == 503 ?
	    "Service Unavailable" : status == 500 ? "Internal Server Error" :
	    "Other";
}

static void
log_request(const struct request *rq, int status)
{
	time_t now = time(NULL);
	char at[32];
	struct tm tm;

	(void)strftime(at, sizeof at, "%Y/%m/%d - %H:%M:%S",
	    localtime_r(&now, &tm));
	if (self.mode == MODE_OLLAMA)
		(void)fprintf(stderr, "[GIN] %s | %d | 127.0.0.1 | %-7s "
		    "\"%s\"\n", at, status, rq->method, rq->path);
	else
		(void)fprintf(stderr, "INFO:     127.0.0.1 - \"%s %s "
		    "HTTP/1.1\" %d\n", rq->method, rq->path, status);
}

static void
answer(struct conn *c, const struct request *rq)
{
	static char mem[OUT_MAX - 512];
	struct buf body;
	struct answer a = { .status = 200, .body = &body };
	bool control = strcmp(rq->path, "/_standin") == 0;

	buf_init(&body, mem, sizeof mem);
	(control ? fault_control : api_answer)(&self, rq, &a);
	c->asked = true;
	if (a.silent)
		return;
	if (!control)
		log_request(rq, a.status);
	buf_printf(&c->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\nConnection: close\r\n\r\n", a.status,
	    reason_of(a.status), a.text ? "text/plain; charset=utf-8" :
	    "application/json", body.len);
	if (!rq->head_only)
		buf_put(&c->out, body.base, body.len);
	c->answered = true;
	c->due_ms = os_now_ms() + a.delay_ms;
}

static size_t
content_length(const char *head)
{
	const char *line;

	for (line = strchr(head, '\n'); line != NULL;
	    line = strchr(line, '\n'))
		if (strncasecmp(++line, "Content-Length:", 15) == 0)
			return (size_t)strtoul(line + 15, NULL, 10);
	return 0;
}

static void
take_request(struct conn *c)
{
	struct request rq = { .len = 0 };
	char *end, *query;
	size_t head;

	if ((end = strstr(buf_cstr(&c->in), "\r\n\r\n")) == NULL)
		return;
	head = (size_t)(end + 4 - c->in.base);
	*end = '\0';
	rq.len = content_length(c->in.base);
	*end = '\r';
	if (c->in.len < head + rq.len)
		return;
	rq.body = c->in.base + head;
	if (sscanf(c->in.base, "%7s %127s", rq.method, rq.path) != 2)
		return;
	if ((query = strchr(rq.path, '?')) != NULL)
		*query = '\0';
	rq.head_only = strcmp(rq.method, "HEAD") == 0;
	if (rq.head_only)
		(void)snprintf(rq.method, sizeof rq.method, "GET");
	answer(c, &rq);
}

/* --- connections */

static void
drop(struct conn *c)
{
	(void)close(c->fd);
	c->fd = -1;
}

static void
take_conn(int listener)
{
	struct conn *c;
	int fd;

	if ((fd = accept(listener, NULL, NULL)) < 0)
		return;
	for (c = conns; c < conns + CONNS && c->fd >= 0; c++)
		continue;
	if (c == conns + CONNS) {
		(void)close(fd);
		return;
	}
	(void)os_cloexec(fd);
	(void)os_nonblock(fd);
	*c = (struct conn){ .fd = fd };
	buf_init(&c->in, c->in_mem, sizeof c->in_mem);
	buf_init(&c->out, c->out_mem, sizeof c->out_mem);
}

static void
read_conn(struct conn *c)
{
	ssize_t n;

	n = read(c->fd, c->in.base + c->in.len, buf_room(&c->in));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.len += (size_t)n;
	if (!c->asked)
		take_request(c);
	else
		c->in.len = 0;
}

static void
leave_if_told(void)
{
	if (self.exit_signal > 0) {
		(void)signal(self.exit_signal, SIG_DFL);
		(void)raise(self.exit_signal);
	}
	if (self.exit_code >= 0)
		_exit(self.exit_code);
}

static void
write_conn(struct conn *c)
{
	ssize_t n;

	n = write(c->fd, c->out.base + c->sent, c->out.len - c->sent);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		drop(c);
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < c->out.len)
		return;
	drop(c);
	leave_if_told();
}

/* --- the loop */

static void
take_signals(void)
{
	char signo;

	while (read(wake[0], &signo, 1) == 1) {
		if (signo == SIGCHLD) {
			fault_reap(&self);
			continue;
		}
		if (signo == SIGQUIT) {
			(void)fputs("SIGQUIT: quit\n\ngoroutine 1 [IO wait]:\n"
			    "net/http.(*Server).Serve(0x1400012a000)\n",
			    stderr);
			_exit(2);
		}
		fault_kill_runners(&self);
		exit(0);
	}
}

/* Fills pfd from slot 2 on; returns the number, and in *next the earliest
 * answer that is due later. */
static nfds_t
fill(struct pollfd *pfd, struct conn **who, int64_t now, int64_t *next)
{
	struct conn *c;
	nfds_t n = 2;

	for (c = conns; c < conns + CONNS; c++) {
		if (c->fd < 0)
			continue;
		pfd[n].fd = c->fd;
		pfd[n].events = POLLIN;
		if (c->answered && c->due_ms <= now)
			pfd[n].events = POLLOUT;
		else if (c->answered && (*next < 0 || c->due_ms < *next))
			*next = c->due_ms;
		who[n++] = c;
	}
	return n;
}

static void
turn(int listener, int64_t accept_ms)
{
	struct pollfd pfd[CONNS + 2] = { { .fd = 0 } };
	struct conn *who[CONNS + 2];
	int64_t now = os_now_ms(), next = -1;
	nfds_t i, n = fill(pfd, who, now, &next);

	pfd[0] = (struct pollfd){ .fd = wake[0], .events = POLLIN };
	pfd[1] = (struct pollfd){ .fd = listener, .events = POLLIN };
	if (now < accept_ms) {
		pfd[1].fd = -1;
		next = accept_ms;
	}
	if (poll(pfd, n, next < 0 ? -1 : next <= now ? 0 :
	    (int)(next - now)) <= 0)
		return;
	if (pfd[0].revents != 0)
		take_signals();
	if (pfd[1].revents != 0)
		take_conn(listener);
	for (i = 2; i < n; i++) {
		if (pfd[i].revents & POLLOUT)
			write_conn(who[i]);
		else if (pfd[i].revents != 0)
			read_conn(who[i]);
	}
}

/* --- start */

struct where {
	char	 host[64];
	int	 port;
};

static void
fail(const struct where *w, const char *why)
{
	if (self.mode == MODE_OLLAMA)
		(void)fprintf(stderr, "Error: listen tcp %s:%d: bind: %s\n",
		    w->host, w->port, why);
	else
		(void)fprintf(stderr, "ERROR:    error while attempting to "
		    "bind on address ('%s', %d): %s\n", w->host, w->port,
		    why);
	exit(1);
}

static int
listen_at(const struct where *w)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)w->port) };
	int fd, on = 1;

	if (inet_pton(AF_INET, strcmp(w->host, "localhost") == 0 ?
	    "127.0.0.1" : w->host, &in.sin_addr) != 1)
		fail(w, "no such host");
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		fail(w, "no socket");
	(void)os_cloexec(fd);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, (const struct sockaddr *)&in, sizeof in) < 0 ||
	    listen(fd, 128) < 0)
		fail(w, "address already in use");
	(void)fprintf(stderr, "Listening on %s:%d (llm-standin)\n", w->host,
	    w->port);
	return fd;
}

/* OLLAMA_HOST: HOST, HOST:PORT or :PORT, maybe with http:// before. */
static void
parse_host(struct where *w, const char *text)
{
	const char *colon;

	if (strncmp(text, "http://", 7) == 0)
		text += 7;
	if ((colon = strchr(text, ':')) != NULL)
		w->port = atoi(colon + 1);
	if (colon != text && text[0] != '\0')
		(void)snprintf(w->host, sizeof w->host, "%.*s", colon != NULL ?
		    (int)(colon - text) : 63, text);
}

static void
choose_mode(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');

	name = name != NULL ? name + 1 : argv[0];
	if (strncmp(name, "mlx", 3) == 0 || strncmp(name, "uvicorn", 7) == 0)
		self.mode = MODE_MLX;
	else if (strcmp(name, "ollama") != 0 && argc > 1)
		self.mode = strcmp(argv[1], "mlx") == 0 ? MODE_MLX :
		    strcmp(argv[1], "openai") == 0 ? MODE_OPENAI :
		    MODE_OLLAMA;
	if (self.mode != MODE_OLLAMA)
		return;
	if (strcmp(argv[argc - 1], "serve") != 0) {
		(void)fputs("usage: ollama serve, or llm-standin "
		    "ollama|mlx|openai [--host H] [--port N]\n", stderr);
		exit(1);
	}
	if (getenv("HOME") == NULL) {
		(void)fputs("Error: $HOME is not defined\n", stderr);
		exit(1);
	}
}

static void
choose_where(struct where *w, int argc, char **argv)
{
	const char *value;
	int i;

	(void)snprintf(w->host, sizeof w->host, "127.0.0.1");
	w->port = self.mode == MODE_OLLAMA ? 11434 : self.mode == MODE_MLX ?
	    11435 : 8080;
	if (self.mode == MODE_OLLAMA && (value = getenv("OLLAMA_HOST")) != NULL)
		parse_host(w, value);
	if (self.mode != MODE_OLLAMA &&
	    (value = getenv("MLX_API_PORT")) != NULL)
		w->port = atoi(value);
	for (i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--port") == 0)
			w->port = atoi(argv[i + 1]);
		else if (strcmp(argv[i], "--host") == 0)
			parse_host(w, argv[i + 1]);
}

static void
name_models(void)
{
	const char *list = getenv("STANDIN_MODELS");
	size_t n;

	if (list == NULL)
		list = "llama3.2:1b nomic-embed-text:latest";
	for (; *(list += strspn(list, " ,")) != '\0' &&
	    self.nmodels < MODELS_MAX; list += n) {
		n = strcspn(list, " ,");
		(void)snprintf(self.model[self.nmodels++].name,
		    sizeof self.model[0].name, "%.*s", (int)n, list);
	}
}

static void
open_signals(void)
{
	static const int list[] = { SIGTERM, SIGINT, SIGQUIT, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal };
	size_t i;

	if (os_pipe(wake) < 0 || os_nonblock(wake[0]) < 0)
		exit(1);
	for (i = 0; i < nitems(list); i++)
		(void)sigaction(list[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	const char *value;
	struct where where;
	int64_t accept_ms = os_now_ms();
	char err[128];
	int i, listener;

	choose_mode(argc, argv);
	choose_where(&where, argc, argv);
	name_models();
	open_signals();
	for (i = 0; i < CONNS; i++)
		conns[i].fd = -1;
	if ((value = getenv("STANDIN_FAULT")) != NULL && value[0] != '\0' &&
	    fault_set(&self, value, strlen(value), err) < 0) {
		(void)fprintf(stderr, "STANDIN_FAULT: %s\n", err);
		return 1;
	}
	if ((value = getenv("STANDIN_START_MS")) != NULL)
		accept_ms += atoi(value);
	listener = listen_at(&where);
	for (;;)
		turn(listener, accept_ms);
}
