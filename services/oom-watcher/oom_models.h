/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_MODELS_H
#define SVTREE_OOM_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The models in an Ollama's memory, as GET /api/ps lists them, and which of
 * them nobody is using.
 */
#define MODELS_MAX	16

struct models {
	int	 n;
	struct {
		char	 name[128];
		char	 expires[48];	/* as written */
	} v[MODELS_MAX];
};

/* 0, or -1: not such a list. Models above MODELS_MAX are left out. */
int models_parse(struct models *m, const char *text, size_t len);
/*
 * Keeps of now those that are idle. A model that answers its first request
 * has no time of expiry yet, and Ollama invents one that moves with the
 * clock; one that outlives its own expiry is at work too. So idle is what
 * expires later than wall_us, and at the same time as in the look before.
 */
void models_idle(struct models *now, const struct models *before,
    int64_t wall_us);
/* RFC 3339 to microseconds since 1970; -1 is none. */
int64_t models_time(const char *text);

#endif
