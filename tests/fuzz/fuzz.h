/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FUZZ_H
#define SVTREE_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry; each target has one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A broken promise: the input that led to it is kept by libFuzzer. */
#define PROMISE(good, ...) do {						\
	if (!(good)) {							\
		fprintf(stderr, __VA_ARGS__);				\
		fputc('\n', stderr);					\
		abort();						\
	}								\
} while (0)

#endif
