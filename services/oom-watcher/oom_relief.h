/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_RELIEF_H
#define SVTREE_OOM_RELIEF_H

#include <stdint.h>

/*
 * Relief at critical memory: asks every Ollama of the tree to unload the
 * models that nobody is using. At most once a minute; nothing is killed.
 */
void relief_want(int64_t now_ms);
/* One request, when one is due; returns when it wants to be called again. */
int64_t relief_step(int64_t now_ms);

#endif
