/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_WORDS_H
#define SVTREE_HEALTH_WORDS_H

#include "health_verdict.h"

/* "3 s", "250 ms", "5 min" */
void words_time(char *dst, size_t cap, int64_t ms);
/* "GET /api/tags: 200 in 3 ms, 2 models" */
void words_good(char *dst, size_t cap, const struct probe *p);
/* "GET /api/tags: 503: BODY": of an answer that is no failure */
void words_answer(char *dst, size_t cap, const struct probe *p);
/* "hung: no answer to GET /api/tags within 3 s, 3 times" */
void words_failure(char *dst, size_t cap, const struct probe *p,
    int64_t timeout_ms, int times);

#endif
