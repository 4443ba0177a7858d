/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_STORE_H
#define SVTREE_STORE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * Ollama's model store, as the user that Ollama is to run as finds it: one
 * that cannot use it answers, and has no models, or ends at once.
 */
struct store_user {
	uid_t		 uid;
	gid_t		 gid;
	const char	*home;		/* NULL or "": not set */
	const char	*models;	/* $OLLAMA_MODELS, NULL: below home */
};

/* True: it can. Else why not, and what mends it. */
bool store_fits(const struct store_user *u, char *why, size_t whycap,
    char *mend, size_t mendcap);

#endif
