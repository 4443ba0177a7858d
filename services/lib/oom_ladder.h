/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_LADDER_H
#define SVTREE_OOM_LADDER_H

#include <stdbool.h>
#include <stddef.h>

#include "osmem.h"

/* The memory of the host: a ladder that is climbed at once and left only
 * after several calmer samples. */
enum pressure { PRESSURE_OK, PRESSURE_WARNING, PRESSURE_CRITICAL };
#define LADDER_CALM	3

struct ladder {
	enum pressure	 level;
	int		 calmer;	/* samples in a row below the level */
};

/* True when the level changed. */
bool ladder_step(struct ladder *l, const struct mem_sample *m);
const char *pressure_word(enum pressure p);
int mem_used_percent(const struct mem_sample *m);
/* "memory 91 % used, swap 2.1 GiB"; disk_free is in percent when it is worth
 * telling, else -1. */
void host_words(const struct mem_sample *m, int disk_free, char *dst,
    size_t cap);

#endif
