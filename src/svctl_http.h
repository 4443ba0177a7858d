/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_HTTP_H
#define SVTREE_SVCTL_HTTP_H

#include <stddef.h>

/*
 * One plain HTTP/1.0 GET or POST with a deadline over everything, to an
 * address of this machine or a UNIX socket: enough for svctl doctor, without
 * a library. Names are not looked up, so nothing can hang in a resolver.
 */
#define GET_BODY_MAX	262144
#define GET_ERR_LEN	160

struct get {
	int	 status;	/* 0: no answer */
	int	 refused;	/* nobody listens there */
	int	 ms;		/* until the answer was there */
	char	*body;		/* NUL-terminated; the caller frees */
	size_t	 len;
	char	 err[GET_ERR_LEN];
};

/* "http://127.0.0.1:11434/x" and a path that is put behind it (or ""). 0
 * when there is an answer, whatever it says; else -1 with err. */
int get_url(const char *url, const char *path, int timeout_ms,
    struct get *get);
/* POST of JSON. */
int get_post(const char *url, const char *path, const char *body,
    int timeout_ms, struct get *get);
int get_unix(const char *path, const char *what, int timeout_ms,
    struct get *get);
/* Only connects. */
int get_connect(const char *url, int timeout_ms, struct get *get);
void get_free(struct get *get);

#endif
