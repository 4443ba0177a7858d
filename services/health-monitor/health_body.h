/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_BODY_H
#define SVTREE_HEALTH_BODY_H

#include <stddef.h>

#include "health_verdict.h"

/*
 * What the servers' answers say: status and body to an outcome. Pure.
 */
enum server { SERVER_OLLAMA, SERVER_MLX, SERVER_OPENAI, SERVER_HTTP,
	SERVER_TCP, SERVER_EXEC, SERVER_DOCKER, SERVER_COUNT };

/* An answer as it came. */
struct answer {
	int	 status;
	const char *body;
	size_t	 len;
	bool	 cut;		/* the body was longer */
};

/* What is expected, and what is learned on the way. */
struct models {
	char	*const *wanted;	/* names that must be there */
	int	 nwanted;
	char	 loaded[96];	/* one that is loaded, "" none */
	char	 expires[40];	/* until when, as the server writes it */
	int	 nloaded;
};

/* Sets out and detail of p, which has status and elapsed_ms by now. */
void body_judge(enum server server, enum layer layer,
    const struct answer *a, struct models *m, struct probe *p);
/* The body of a request for one token, which changes no load option and no
 * keep-alive; 0, or -1 when it does not fit. */
int body_put_deep(enum server server, const char *model, char *dst,
    size_t cap);
/* The request that unloads a model from Ollama. */
int body_put_unload(const char *model, char *dst, size_t cap);

#endif
