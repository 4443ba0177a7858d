/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HTTP_FAKES_H
#define SVTREE_HTTP_FAKES_H

#include <stdint.h>

/* The tree behind the listener, and its clock, for the fuzzer. */
#define FUZZ_MARK	"not-for-strangers"	/* in all that is told */

/* The listener's os_now_ms. */
int64_t fuzz_now_ms(void);
/* The listener's log_info. */
void fuzz_log(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void fuzz_pass(int64_t ms);
/* A new input: an hour later, nothing was done. */
void fuzz_begin(void);
/* Calls that change something. */
int fuzz_deeds(void);

#endif
