/* SPDX-License-Identifier: ISC */
/*
 * The door to libmicrohttpd: one daemon per address, driven by select from
 * the outside. It collects a request, has it answered, and gives every
 * connection its end; it does not know what is asked.
 */
#include <sys/select.h>

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "web.h"
#include "web_conn.h"
#include "web_head.h"

#define DOORS		8
#define IDLE_S		5
#define LONGEST_MS	3600000	/* that select is asked to wait */
#define MEMORY		16384	/* of a connection: bounds the headers */

struct door {			/* an address */
	struct MHD_Daemon *daemon;
	bool	 loopback;
};

struct seeing {
	struct web_request *rq;
	struct web_seen	 seen;
};

static struct door door[DOORS];
static int ndoors;
static web_handler *handle;
static bool woken;		/* a stream, and the library not run since */

void
web_open(web_handler *handler)
{
	handle = handler;
}

static void
on_connection(void *arg, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info;

	(void)arg;
	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		conn_drop(*context);
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (info != NULL)
		*context = conn_take(info->connect_fd, c, os_now_ms());
}

static struct conn *
conn_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

/*
 * Later versions refuse a header that goes on in the next line. Older ones
 * add that line to the name, which they then move away from its place before
 * the value: "Host: a", " b" becomes "Hostb: a", and is unknown to us.
 */
static bool
is_folded(const char *name, const char *value)
{
	return MHD_VERSION < 0x00097700 && value != NULL &&
	    (uintptr_t)value < (uintptr_t)name;
}

static enum MHD_Result
on_header(void *arg, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct seeing *s = arg;

	(void)kind;
	web_see(s->rq, &s->seen, name, value);
	s->rq->doubled = s->rq->doubled || is_folded(name, value);
	return MHD_YES;
}

const char *
web_query(const struct web_request *rq, const char *name)
{
	return MHD_lookup_connection_value(rq->connection,
	    MHD_GET_ARGUMENT_KIND, name);
}

static ssize_t
on_stream(void *arg, uint64_t at, char *dst, size_t max)
{
	struct conn *conn = arg;
	ssize_t n = conn_read(conn, dst, max);

	(void)at;
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		conn_set_asleep(conn, true);
		MHD_suspend_connection(conn_library(conn));
	}
	return n;
}

static struct MHD_Response *
make_response(const struct web_reply *r, struct conn *conn)
{
	if (!r->stream)
		return MHD_create_response_from_buffer(r->len,
		    (void *)(uintptr_t)r->body, MHD_RESPMEM_MUST_COPY);
	if (conn_stream(conn, r->body, r->len) < 0)
		return NULL;
	return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096,
	    on_stream, conn, NULL);
}

static enum MHD_Result
answer(struct MHD_Connection *c, struct conn *conn,
    const struct web_reply *r)
{
	struct MHD_Response *response = make_response(r, conn);
	const char *name, *value;
	enum MHD_Result rc;
	int i;

	if (response == NULL)
		return MHD_NO;
	for (i = 0; web_header(r, i, &name, &value); i++)
		if (value != NULL)
			(void)MHD_add_response_header(response, name, value);
	rc = MHD_queue_response(c, (unsigned)r->status, response);
	MHD_destroy_response(response);
	return rc;
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *bytes,
    size_t *len, void **context)
{
	struct web_reply reply = { .status = 500, .type = "text/plain" };
	struct conn *conn = conn_of(c);
	struct web_request rq;
	struct seeing s = { .rq = &rq };

	if (conn == NULL)
		return MHD_NO;
	if (*len > 0) {
		if (conn_collect(conn, bytes, *len) < 0)
			return MHD_NO;
		*len = 0;
		return MHD_YES;
	}
	web_begin(&rq, method, url, version);
	rq.loopback = ((const struct door *)arg)->loopback;
	rq.connection = c;
	(void)MHD_get_connection_values(c, MHD_HEADER_KIND, on_header, &s);
	web_seen_all(&rq, &s.seen);
	if (*context == NULL) {		/* the headers alone */
		*context = conn;
		if (!rq.chunked && !rq.doubled && !rq.too_long)
			return MHD_YES;
	}
	rq.body = conn_body(conn, &rq.len);
	handle(&rq, &reply);
	conn_answered(conn);
	return answer(c, conn, &reply);
}

int
web_listen(const struct sockaddr *sa, socklen_t len, bool loopback)
{
	struct door *d = &door[ndoors];
	int fd;

	if (ndoors == DOORS) {
		errno = EMFILE;
		return -1;
	}
	if ((fd = web_bind(sa, len)) < 0)
		return -1;
	d->loopback = loopback;
	d->daemon = MHD_start_daemon(MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
	    on_request, d, MHD_OPTION_LISTEN_SOCKET, fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONN_MAX / 2,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, NULL,
	    MHD_OPTION_END);
	if (d->daemon == NULL) {
		(void)close(fd);
		errno = EINVAL;
		return -1;
	}
	ndoors++;
	return 0;
}

static void
wake(struct conn *c)
{
	if (!conn_is_asleep(c))
		return;
	conn_set_asleep(c, false);
	MHD_resume_connection(conn_library(c));
	woken = true;
}

void
web_publish(const char *text, size_t len)
{
	struct conn *c = NULL;

	while ((c = conn_next_stream(c)) != NULL) {
		conn_feed(c, text, len);
		wake(c);
	}
}

int
web_streams(void)
{
	struct conn *c = NULL;
	int n = 0;

	while ((c = conn_next_stream(c)) != NULL)
		n++;
	return n;
}

/* Until the earliest of the deadline, the connections' and the library's own,
 * in ms; INT64_MAX when there is none. */
static int64_t
patience(int64_t deadline_ms)
{
	MHD_UNSIGNED_LONG_LONG own;
	int64_t now = os_now_ms(), t = conn_deadline();
	int i;

	if (woken)
		return 0;
	if (deadline_ms < t)
		t = deadline_ms;
	if (t != INT64_MAX)
		t = t > now ? t - now : 0;
	for (i = 0; i < ndoors; i++)
		if (MHD_get_timeout(door[i].daemon, &own) == MHD_YES &&
		    own < (uint64_t)t)
			t = (int64_t)own;
	return t;
}

static unsigned
readable(const fd_set *set, const int *fd, int nfd)
{
	unsigned ready = 0;
	int i;

	for (i = 0; i < nfd; i++)
		if (fd[i] >= 0 && FD_ISSET(fd[i], set))
			ready |= 1u << i;
	return ready;
}

/* The library does not look at what is asleep: so it is done here. */
static void
watch_sleepers(fd_set *set, int *top)
{
	struct conn *c = NULL;

	while ((c = conn_next_stream(c)) != NULL)
		if (conn_is_asleep(c)) {
			FD_SET(conn_fd(c), set);
			*top = conn_fd(c) > *top ? conn_fd(c) : *top;
		}
}

static void
end_sleepers(const fd_set *set)
{
	struct conn *c = NULL;

	while ((c = conn_next_stream(c)) != NULL)
		if (conn_is_asleep(c) && FD_ISSET(conn_fd(c), set)) {
			conn_finish(c);
			wake(c);
		}
}

unsigned
web_wait(int64_t deadline_ms, const int *fd, int nfd)
{
	fd_set rd, wr, ex;
	struct timeval tv;
	int64_t ms;
	int i, top = -1;

	FD_ZERO(&rd);
	FD_ZERO(&wr);
	FD_ZERO(&ex);
	for (i = 0; i < nfd; i++)
		if (fd[i] >= 0) {
			FD_SET(fd[i], &rd);
			top = fd[i] > top ? fd[i] : top;
		}
	for (i = 0; i < ndoors; i++)
		(void)MHD_get_fdset2(door[i].daemon, &rd, &wr, &ex, &top,
		    FD_SETSIZE);
	watch_sleepers(&rd, &top);
	ms = patience(deadline_ms);
	if (ms > LONGEST_MS && ms != INT64_MAX)
		ms = LONGEST_MS;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	if (select(top + 1, &rd, &wr, &ex, ms != INT64_MAX ? &tv :
	    NULL) < 0) {
		if (errno != EINTR)
			log_warn("wait for requests");
		FD_ZERO(&rd);
		FD_ZERO(&wr);
		FD_ZERO(&ex);
	}
	woken = false;
	end_sleepers(&rd);
	for (i = 0; i < ndoors; i++)
		(void)MHD_run_from_select(door[i].daemon, &rd, &wr, &ex);
	conn_expire(os_now_ms());
	return readable(&rd, fd, nfd);
}
