/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_JUDGE_H
#define SVTREE_HEALTH_JUDGE_H

#include "health_verdict.h"

/* What the files of the verdict share. */

/* What an outcome of the layers that must answer leads to. */
enum class {
	CLASS_GOOD, CLASS_DEGRADED, CLASS_BUSY, CLASS_LOADING, CLASS_MISFIT,
	CLASS_FAILURE
};

enum class class_of(enum outcome out);

void judge_settle(struct history *h, struct judgement *j, enum verdict v);

/* health_deep.c: what a request for one token brought */
void judge_deep(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j);
/* It answers, but was seen not to compute; true while that stands: until a
 * deep probe is good again, or no model is loaded any more. */
bool judge_computes_not(struct history *h, const struct round *r,
    struct judgement *j);

/* health_said.c: what its log says */
void said_take(struct history *h, const struct round *r);
/* It says so often enough that it fails, though it answers; true while that
 * stands: for a window since the last such line, until a deep probe is good,
 * or until the soft action was taken. */
bool judge_said(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j);
bool judge_warned(struct history *h, const struct round *r,
    struct judgement *j);
void said_forget(struct history *h);

#endif
