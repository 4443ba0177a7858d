/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HTTP_H
#define SVTREE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * HTTP for the service programs: requests side by side on one libcurl multi
 * handle. No proxy, no redirect, no connection kept. Only http.c includes
 * curl. Call http_open once, first.
 */
#define HTTP_ERR_LEN	256
#define HTTP_LINE_MAX	(256 << 10)
#define HTTP_FDS	8

struct http_request {
	const char	*url;		/* http://127.0.0.1:11434/api/tags */
	const char	*unix_socket;	/* path, or NULL for TCP */
	const char	*method;	/* NULL: GET */
	const char	*body;		/* JSON, or NULL */
	int		 connect_ms;	/* deadline of the connect */
	int		 total_ms;	/* of the whole; 0 none (streams) */
	size_t		 max_body;	/* a longer answer is cut off here */
	const char	*want_header;	/* its value is to be told, or NULL */
	bool		 raw;		/* "lines" are the bytes as they come */
};

struct http_result {
	int		 status;	/* HTTP status, 0: no whole answer */
	bool		 timed_out;	/* connected or not, but too late */
	bool		 refused;	/* nobody listens, no such socket */
	bool		 cut;		/* body was longer than max_body */
	const char	*body;		/* NUL-terminated; the callback's */
	size_t		 len;
	int		 elapsed_ms;
	char		 header[64];	/* value of want_header, or "" */
	char		 err[HTTP_ERR_LEN]; /* why there is no status, or "" */
};

typedef void http_done(void *arg, const struct http_result *r);
/* One line of a stream, without its newline. */
typedef void http_line(void *arg, const char *line, size_t len);

/* http_open ignores SIGPIPE from then on. 0 or -1. */
int http_open(void);
void http_close(void);
/* Starts a request; done is called from http_run, once, always. With a line
 * callback the body of a 2xx answer is handed over line by line as it arrives
 * (empty lines and those above HTTP_LINE_MAX are left out); the body of any
 * other answer goes to done. Both callbacks may start and cancel requests
 * and call http_do, but not http_run. Returns an id > 0 for http_cancel, or
 * -1: no memory, or too many. */
int http_start(const struct http_request *rq, http_done *done,
    http_line *line, void *arg);
/* done is not called; an id that is over is no error. The connection ends
 * with the next http_run or http_close. */
void http_cancel(int id);
/* Lets requests progress for up to timeout_ms (-1: until something happens)
 * or until one of the nfd descriptors (at most HTTP_FDS) is readable or hung
 * up, and returns then or as soon as a callback ran. Returns a bit mask of
 * the readable ones. */
unsigned http_run(int timeout_ms, const int *fd, int nfd);
/* One request, waited for; body is copied to dst (NUL-terminated, cut to
 * cap). Returns the status, or 0 with the reason in r->err. r->body = dst.
 * Other requests stand still meanwhile. */
int http_do(const struct http_request *rq, struct http_result *r, char *dst,
    size_t cap);

#endif
