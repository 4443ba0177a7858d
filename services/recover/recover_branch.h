/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_RECOVER_BRANCH_H
#define SVTREE_RECOVER_BRANCH_H

#include "recover_probe.h"

/*
 * The recovery of one service: probe, restart, see it up again, have it
 * answer. Each branch has a deadline of its own and none waits for another,
 * but for a service that the supervisor holds back until its need is there.
 */
enum phase {
	PH_PROBE,	/* being asked */
	PH_DOUBT,	/* answers, but is reported to fail */
	PH_RESTART,	/* its restart is the next thing to do */
	PH_SETTLE,	/* on its way up */
	PH_ANSWER,	/* up again: does it answer, does it last? */
	PH_DONE
};

enum outcome { OUT_OPEN, OUT_SKIPPED, OUT_LEFT, OUT_HEALTHY, OUT_HEALED,
	OUT_FAILED };

struct branch {
	struct facts	 f;
	const struct conf_service *conf;	/* NULL: not in service.conf */
	enum phase	 phase;
	enum outcome	 outcome;
	struct probe	 probe;
	int		 attempts;	/* of the probe */
	bool		 restarted;
	int64_t		 asked_pid;	/* that the last probe was for */
	int64_t		 old_pid;	/* of before the restart */
	int64_t		 cpu_ms;	/* of its group when the probe began */
	int64_t		 began_ms;	/* of the probe */
	int64_t		 deadline_ms, until_ms;
	char		 why[RECOVER_WORDS]; /* of the outcome, or the fault */
};

/* What branches have in common. */
struct run {
	struct branch	*branch;
	int		 n;
	int64_t		 limit_ms;	/* of each branch */
};

/* The first look: sets the phase, says what is to be done. */
void branch_begin(struct run *run, struct branch *b, int64_t now_ms);
/* Takes in what the supervisor tells. */
void branch_update(struct branch *b, const struct facts *f, bool whole);
/* Does what is due. Returns when it wants to be called again. */
int64_t branch_step(struct run *run, struct branch *b, int64_t now_ms);

/* recover_settle.c: the phases after a restart; as branch_step. */
int64_t branch_settling(struct run *run, struct branch *b, int64_t now_ms);
int64_t branch_answering(struct branch *b, int64_t now_ms);
int64_t branch_doubting(struct branch *b, int64_t now_ms);

/* recover_say.c */

/* One line for whoever follows the run: "NAME: ...". */
void branch_say(const struct branch *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* It answers, and how: its end. */
void branch_well(struct branch *b);
/* The end, with the reason for it; branch_fail also says it, and advice. */
void branch_finish(struct branch *b, enum outcome outcome, const char *why);
void branch_fail(struct branch *b, const char *what, const char *advice);
bool branch_is(const struct branch *b, const char *state);
bool branch_can_probe(const struct branch *b);
void branch_ask(struct branch *b, int64_t now_ms);
/* CPU time that its processes have used so far, in ms. */
int64_t branch_cpu(const struct branch *b);

/* recover_holder.c: is the port of the service held by a process that is
 * none of its own? Then words name it. */
bool holder_is_foreign(const struct branch *b, char *words, size_t cap);

#endif
