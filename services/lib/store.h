/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_STORE_H
#define SVTREE_STORE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"

/*
 * The directory that a server has its models in, as the user that it is to
 * run as finds it: one that cannot use it answers, and has no models, or ends
 * at once.
 */
enum store_kind {
	STORE_NONE,
	STORE_OLLAMA,		/* $OLLAMA_MODELS, ~/.ollama/models */
	STORE_HUB		/* Hugging Face's cache: MLX, vLLM */
};

struct store_user {
	uid_t		 uid;
	gid_t		 gid;
	const char	*home;		/* NULL or "": not set */
	/* A variable of its environment, NULL: not set. */
	const char	*(*env)(const void *arg, const char *name);
	const void	*arg;
	const struct conf_list *models; /* of the hub: names that it needs */
};

/* Which of them the service uses. */
enum store_kind store_kind(const struct conf_service *sv);
/* True: it can. Else why not, and what mends it. */
bool store_fits(enum store_kind kind, const struct store_user *u, char *why,
    size_t whycap, char *mend, size_t mendcap);

#endif
