/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FUZZ_PLAY_H
#define SVTREE_FUZZ_PLAY_H

#include "../explore/explore.h"

/* The services of the fake world for the fuzzers: a that says READY, b that
 * needs it and has a finish script. */
void play_set_up(void);

#endif
