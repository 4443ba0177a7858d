/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_VERDICT_H
#define SVTREE_HEALTH_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a round of probes means for a service. Pure: no clock, no socket, no
 * log; what it must know of them is handed in.
 */

/* What can be asked of a server, in the order of what it proves. */
enum layer {
	LAYER_LIVE,		/* something answers */
	LAYER_READY,		/* it has what it needs to work */
	LAYER_SCHED,		/* its scheduler is not stuck */
	LAYER_ALSO,		/* others reach it, by another address */
	LAYER_DEEP,		/* it computes */
	LAYER_COUNT
};

/* What came of asking. */
enum outcome {
	OUT_NONE,		/* was not asked */
	OUT_OK,
	OUT_DEGRADED,		/* works, but worse than it should */
	OUT_BUSY,		/* 503, 429: alive, more to do than it can */
	OUT_LOADING,		/* says that it is loading a model */
	OUT_EMPTY,		/* has no model at all */
	OUT_MISSING,		/* lacks a model that is expected */
	OUT_WRONG,		/* an answer, but not a good one */
	OUT_SILENT,		/* connected, and no whole answer in time */
	OUT_REFUSED,		/* nobody listens */
	OUT_BROKEN,		/* the connection broke, or no HTTP */
	OUT_COUNT
};

struct probe {
	enum outcome out;
	int	 status;	/* HTTP status, 0 none */
	int	 elapsed_ms;
	char	 what[64];	/* "GET /api/tags" */
	char	 detail[96];	/* what is not good about it; body start */
};

enum verdict {
	VERDICT_UNKNOWN, VERDICT_STARTING, VERDICT_LOADING, VERDICT_READY,
	VERDICT_BUSY, VERDICT_DEGRADED, VERDICT_WEDGED, VERDICT_DEAD,
	VERDICT_FOREIGN, VERDICT_COUNT
};

enum remedy { REMEDY_NONE, REMEDY_UNLOAD, REMEDY_RESTART };

#define WHY_MAX		240
#define SAID_MAX	96
#define SAID_WINDOW_MS	(10 * 60 * 1000) /* lines of a log count so long */
#define DEEP_TRIES	2	/* deep probes in a row that must fail */

/* One round: the layers that were asked, and what was seen around them. */
struct round {
	struct probe probe[LAYER_COUNT];
	int64_t	 now_ms;
	int	 said_bad;	/* lines of its log that mean failing */
	int	 said_warn;	/* ... degraded */
	char	 said[SAID_MAX]; /* the last of them */
	bool	 deep_due;	/* for their sake it was asked to compute, and
				   has not answered yet */
	bool	 works;		/* its processes used the CPU meanwhile */
	bool	 idle;		/* no model is loaded */
	bool	 ours;		/* our process was seen to have the port */
	bool	 foreign;	/* another process has the port */
	bool	 adopted;	/* ... and that is as good as ours: nothing is
				   done about it, for it is not ours to stop */
	char	 holder[160];	/* which: "port 11434 is held by ..." */
	long	 holder_pid;	/* 0 unknown */
	char	 holder_name[40];
	char	 user[40];	/* the service runs as, "" unknown */
};

struct rules {
	int64_t	 timeout_ms, deep_timeout_ms, start_grace_ms, load_grace_ms;
	int	 threshold;
	bool	 can_unload;	/* there is a soft action */
};

/* What is remembered from round to round; zeroed at each start. */
struct history {
	int64_t	 up_ms;		/* when it became UP */
	int64_t	 ready_ms;	/* first good answer since, 0 none */
	int64_t	 loading_ms;	/* loads, or works in silence, since; 0 */
	int64_t	 sched_ms;	/* its scheduler is silent since; 0 */
	int64_t	 quiet_ms;	/* no failure counts before (after sleep) */
	int	 fails;		/* rounds in a row without a good answer */
	int	 sched_fails;
	int	 also_fails;
	int	 deep_fails;
	bool	 unloaded;	/* the soft action was taken */
	bool	 deep_bad;	/* it does not compute ... */
	enum remedy deep_remedy; /* ... and this would help next */
	int	 said_bad;	/* lines that mean failing, within a window */
	int64_t	 said_ms;	/* the last of them */
	int64_t	 warn_ms;	/* the last that means degraded, 0 none */
	bool	 said_wedged;	/* they were enough, ... */
	enum remedy said_remedy; /* ... and this would help next */
	char	 said[SAID_MAX], warned[SAID_MAX];
	enum verdict verdict;
};

struct judgement {
	enum verdict verdict;
	enum remedy remedy;
	bool	 again;		/* confirm it soon */
	char	 why[WHY_MAX];	/* the evidence; "" keeps the one before */
};

/* Judges a round and brings the history up to date. */
void verdict_judge(const struct rules *rules, struct history *h,
    const struct round *r, struct judgement *j);

/* The soft action was taken: the next is the hard one. */
void verdict_unloaded(struct history *h);

/* Is it worth looking who holds the port, before this round is judged? */
bool verdict_wants_holder(const struct history *h, const struct round *r);
/* ... and whether its processes use the CPU? */
bool verdict_wants_usage(const struct round *r);

const char *verdict_name(enum verdict v);
/* The record's word: unknown, ok, busy, degraded, failing. */
const char *verdict_health(enum verdict v, bool was_ready);

#endif
