/* SPDX-License-Identifier: ISC */
/*
 * The door to libcurl, and the only file that includes it: one transfer made,
 * run and told of in our own words, and the handle that runs many side by
 * side. Which are under way is http_requests.c's.
 */
#include <sys/socket.h>

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "http.h"
#include "http_private.h"
#include "os.h"

static CURLM *multi;

const int transfer_no_memory = CURLE_OUT_OF_MEMORY;

_Static_assert(HTTP_ERR_LEN >= CURL_ERROR_SIZE, "libcurl's words fit");

int
http_open(void)
{
	/* CURLOPT_NOSIGNAL leaves SIGPIPE to us. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK)
		return -1;
	if ((multi = curl_multi_init()) != NULL)
		return 0;
	curl_global_cleanup();
	return -1;
}

void
transfers_close(void)
{
	if (multi == NULL)
		return;
	(void)curl_multi_cleanup(multi);
	multi = NULL;
	curl_global_cleanup();
}

/* --- what libcurl calls */

static curl_socket_t
open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	int fd = socket(a->family, a->socktype, a->protocol);

	(void)arg;
	(void)purpose;
	if (fd >= 0 && os_cloexec(fd) < 0) {
		(void)close(fd);
		return CURL_SOCKET_BAD;
	}
	return fd;
}

static long
status_of(struct transfer *t)
{
	long status = 0;

	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static size_t
on_bytes(char *bytes, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	int rc;

	n *= size;
	/* An error is told as a body, also where a stream was asked for. */
	if (t->sink.line != NULL && status_of(t) / 100 == 2)
		rc = sink_lines(&t->sink, bytes, n);
	else
		rc = sink_body(&t->sink, bytes, n);
	return rc < 0 || t->sink.muted ? 0 : n;
}

/* --- making a request */

static void
set_method(CURL *e, const struct http_request *rq)
{
	const char *method = rq->method != NULL ? rq->method : "GET";

	if (rq->body != NULL || strcmp(method, "POST") == 0) {
		/* Else the body would be read from standard input. */
		(void)curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS,
		    rq->body != NULL ? rq->body : "");
	} else if (strcmp(method, "HEAD") == 0) {
		(void)curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	}
	if (strcmp(method, "HEAD") != 0)
		(void)curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);
}

static int
set_all(struct transfer *t, const struct http_request *rq)
{
	const struct {
		CURLoption option;
		long value;
	} number[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_FRESH_CONNECT, 1 },
		{ CURLOPT_FORBID_REUSE, 1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, rq->connect_ms },
		{ CURLOPT_TIMEOUT_MS, rq->total_ms },
	};
	const struct {
		CURLoption option;
		const void *value;
	} pointer[] = {
		{ CURLOPT_URL, rq->url },
		{ CURLOPT_UNIX_SOCKET_PATH, rq->unix_socket },
		{ CURLOPT_PROTOCOLS_STR, "http" },
		{ CURLOPT_PROXY, "" },	/* nor one of the environment */
		{ CURLOPT_NOPROXY, "*" },
		{ CURLOPT_USERAGENT, "svtree" },
		{ CURLOPT_HTTPHEADER, t->headers },
		{ CURLOPT_ERRORBUFFER, t->err },
		{ CURLOPT_WRITEDATA, t },
		{ CURLOPT_PRIVATE, t },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < nitems(number); i++)
		good &= curl_easy_setopt(t->easy, number[i].option,
		    number[i].value) == CURLE_OK;
	for (i = 0; i < nitems(pointer); i++)
		good &= curl_easy_setopt(t->easy, pointer[i].option,
		    pointer[i].value) == CURLE_OK;
	set_method(t->easy, rq);
	(void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_bytes);
	(void)curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION,
	    open_socket);
	return good ? 0 : -1;
}

/* "Expect: 100-continue" is not sent: small servers do not know it. */
struct transfer *
transfer_new(const struct http_request *rq, http_line *line, void *arg)
{
	struct transfer *t = calloc(1, sizeof *t);

	if (t == NULL)
		return NULL;
	t->sink.line = line;
	t->sink.arg = arg;
	t->sink.max = rq->max_body;
	t->sink.raw = rq->raw;
	t->arg = arg;
	t->connect_ms = rq->connect_ms;
	t->total_ms = rq->total_ms;
	if (rq->want_header != NULL)
		(void)snprintf(t->header, sizeof t->header, "%s",
		    rq->want_header);
	t->headers = curl_slist_append(NULL, "Expect:");
	if (rq->body != NULL)
		t->headers = curl_slist_append(t->headers,
		    "Content-Type: application/json");
	if (t->headers != NULL && (t->easy = curl_easy_init()) != NULL &&
	    set_all(t, rq) == 0)
		return t;
	transfer_free(t);
	return NULL;
}

void
transfer_free(struct transfer *t)
{
	if (t->added)
		(void)curl_multi_remove_handle(multi, t->easy);
	curl_easy_cleanup(t->easy);
	curl_slist_free_all(t->headers);
	sink_free(&t->sink);
	free(t);
}

/* --- the end of a request */

static void
say_timeout(const struct transfer *t, bool connected, char *err)
{
	int ms = t->total_ms;

	if (!connected && t->connect_ms > 0 &&
	    (ms == 0 || t->connect_ms < ms))
		ms = t->connect_ms;
	(void)snprintf(err, HTTP_ERR_LEN, "no %s within %d ms",
	    connected ? "answer" : "connection", ms);
}

static const char *
words_for(const struct transfer *t, CURLcode code, long os_error)
{
	if (code == CURLE_COULDNT_CONNECT && os_error != 0)
		return strerror((int)os_error);
	return t->err[0] != '\0' ? t->err : curl_easy_strerror(code);
}

static void
tell_header(struct transfer *t, struct http_result *r)
{
	struct curl_header *header;

	if (t->header[0] != '\0' && curl_easy_header(t->easy, t->header, 0,
	    CURLH_HEADER, -1, &header) == CURLHE_OK)
		(void)snprintf(r->header, sizeof r->header, "%s",
		    header->value);
}

void
transfer_result(struct transfer *t, int result, struct http_result *r)
{
	curl_off_t total_us = 0, connect_us = 0;
	CURLcode code = (CURLcode)result;
	long os_error = 0;

	(void)memset(r, 0, sizeof *r);
	r->body = t->sink.body != NULL ? t->sink.body : "";
	r->len = t->sink.len;
	r->cut = t->sink.cut;
	(void)curl_easy_getinfo(t->easy, CURLINFO_TOTAL_TIME_T, &total_us);
	(void)curl_easy_getinfo(t->easy, CURLINFO_CONNECT_TIME_T,
	    &connect_us);
	(void)curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
	r->elapsed_ms = (int)(total_us / 1000);
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && r->cut)) {
		r->status = (int)status_of(t);
		tell_header(t, r);
	} else if (code == CURLE_OPERATION_TIMEDOUT) {
		r->timed_out = true;
		say_timeout(t, connect_us > 0, r->err);
	} else {
		r->refused = code == CURLE_COULDNT_CONNECT &&
		    (os_error == ECONNREFUSED || os_error == ENOENT);
		(void)snprintf(r->err, sizeof r->err, "%s",
		    words_for(t, code, os_error));
	}
}

/* --- one alone, and many side by side */

int
transfer_run(struct transfer *t)
{
	return (int)curl_easy_perform(t->easy);
}

void
transfer_add(struct transfer *t)
{
	t->added = curl_multi_add_handle(multi, t->easy) == CURLM_OK;
}

void
transfers_perform(void)
{
	int n;

	(void)curl_multi_perform(multi, &n);
}

struct transfer *
transfers_finished(int *result)
{
	struct transfer *t = NULL;
	CURLMsg *msg;
	int n;

	do {
		if ((msg = curl_multi_info_read(multi, &n)) == NULL)
			return NULL;
	} while (msg->msg != CURLMSG_DONE);
	*result = (int)msg->data.result;
	(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
	    (char **)&t);
	return t;
}

void
transfers_wait(int timeout_ms, const int *fd, int nfd)
{
	struct curl_waitfd extra[HTTP_FDS];
	int i, n;

	for (i = 0; i < nfd; i++)
		extra[i] = (struct curl_waitfd){ .fd = fd[i],
		    .events = CURL_WAIT_POLLIN };
	(void)curl_multi_poll(multi, extra, (unsigned)nfd, timeout_ms, &n);
}
