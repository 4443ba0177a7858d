/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CLIENT_H
#define SVTREE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "json.h"

/*
 * The client side of the control socket (Varlink, https://varlink.org/):
 * JSON objects ended by NUL over a UNIX stream socket. One connection does
 * one call at a time. Messages to 4 MiB are read; memory grows as needed and
 * is given back by client_close.
 */
#define CLIENT_ERR_LEN	256
#define CLIENT_PARAMS_MAX 4096

struct client {
	int	 fd;		/* -1 when closed; may be polled for reading */
	char	*in;		/* bytes read */
	size_t	 len, cap, used;
	struct json_tok *tok;
	int	 ntok;
};

struct client_reply {		/* valid until the next call on the client */
	struct json json;	/* the whole message */
	int	 params;	/* token of "parameters" or -1 */
	bool	 continues;	/* more will follow */
	char	 error[128];	/* "org.svtree.NoSuchService" or "" */
	char	 reason[CLIENT_ERR_LEN]; /* the error in words or "" */
};

/* Directory of the running tree: run, else $SVTREE_RUN, else the default of
 * this user (/run/svtree or /var/run/svtree for root, else
 * $XDG_RUNTIME_DIR/svtree, else ~/.svtree/run). */
int client_run_dir(const char *run, char *dst, size_t cap);

/* 0, or -1 with a reason in err (CLIENT_ERR_LEN); errno ENOENT/ECONNREFUSED:
 * no supervisor there. run as above. */
int client_open(struct client *c, const char *run, char *err);
void client_close(struct client *c);
/* Sends a call; params is JSON text of an object or NULL; more asks for a
 * stream. method without the interface: "Status". */
int client_send(struct client *c, const char *method, const char *params,
    bool more, int timeout_ms, char *err);
/* Waits for the next message. 1 got it, 0 time is up, -1 broken. */
int client_recv(struct client *c, struct client_reply *r, int timeout_ms,
    char *err);
/* Both. 0 answered without error, -1 not (reason in err; r->error set when
 * the supervisor answered). */
int client_call(struct client *c, const char *method, const char *params,
    struct client_reply *r, int timeout_ms, char *err);

/* sd_notify(3): sends state ("READY=1\nSTATUS=...") to $NOTIFY_SOCKET.
 * 1 sent, 0 nobody asks, -1 errno. */
int notify_send(const char *state);
int notify_sendf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
