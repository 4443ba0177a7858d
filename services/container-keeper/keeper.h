/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_KEEPER_H
#define SVTREE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "box.h"
#include "docker.h"

/*
 * What container-keeper does next, from what the engine says of the
 * container. No clock, no socket, no process: times (ms on one clock) and
 * answers come in, steps come out. Events are only a reason to look: what
 * counts is State.Status.
 */
#define KEEPER_LOOK_MS		12000	/* while it runs */
#define KEEPER_SOON_MS		1000	/* while something is to happen */
#define KEEPER_EVIDENCE_MS	300	/* for events of before our time */
#define KEEPER_DEATH_MS		1000	/* for events that come after it */
#define KEEPER_UP_MS		10000	/* from compose's end until it runs */
#define KEEPER_DOCKER_MS	70000	/* for Docker's own restart, whose
					   back-off ends at 60 s */
#define KEEPER_LOOP		5	/* such restarts: it has to prove */
#define KEEPER_PROOF_MS		10000	/* that it runs, for so long */
#define KEEPER_AGAIN_MS		500	/* after the first silence */
#define KEEPER_FIND_MS		250	/* while there is no engine; doubles */
#define KEEPER_FIND_MAX_MS	5000

enum seen {		/* State.Status */
	SEEN_NONE,	/* no such container */
	SEEN_DOWN,	/* and Docker will not start it by itself */
	SEEN_RUNNING,
	SEEN_RESTARTING, /* Docker's own policy is at it */
	SEEN_PAUSED,
	SEEN_CHANGING,	/* for a moment */
	SEEN_COUNT
};

enum phase {
	PH_ENGINE,	/* there is no engine: looks for it */
	PH_LOOK,	/* what is there? */
	PH_UP,		/* compose is at work */
	PH_SETTLE,	/* it should run soon */
	PH_RUN,
	PH_DEAD		/* it has ended; whose hand was it? */
};

enum step {
	STEP_WAIT,	/* for an event or the deadline */
	STEP_LOOK,	/* ask the engine: keeper_saw, or keeper_missed */
	STEP_FIND,	/* look for the engine: keeper_begin, or missed */
	STEP_UP,	/* run compose: keeper_upped */
	STEP_RUNNING,	/* it runs (again): say so */
	STEP_DOCKER,	/* Docker's own policy is at it: say so */
	STEP_EXIT	/* with exit_code */
};

enum story {		/* how it came to run */
	STORY_PLAIN,	/* it did when we came, or we brought it up */
	STORY_DOCKER,	/* Docker's own restart policy */
	STORY_OTHER	/* somebody else: docker restart, docker start */
};

struct keeper {			/* keeper_init */
	enum phase phase;
	int64_t	 deadline_ms;	/* of the phase, INT64_MAX none */
	int64_t	 look_at_ms;	/* INT64_MAX: not now */
	int64_t	 find_ms;
	int	 missed;	/* answers in a row */
	int	 past_code;	/* exit code of the keeper before us, 0 none:
				   there is a death to be explained */
	bool	 waited;	/* for evidence, once */
	char	 started[40];	/* names the run that is followed */
	int64_t	 seen_ms;	/* it is seen since */
	int	 restarts;	/* Docker's count then */
	enum story story;
	bool	 paused;
	int	 exit_code;
	int64_t	 limit;		/* of its memory, as death_words wants it */
	bool	 oom_flag;
	struct box box;
	bool	 judged;	/* death is of a death seen; cleared by who
				   has told it */
	enum death death;
};

void keeper_init(struct keeper *k, int past_code, int64_t now_ms);
/* The engine answers. */
void keeper_begin(struct keeper *k, int64_t now_ms);
/* It did not. True when it counts as gone from here on. */
bool keeper_missed(struct keeper *k, int64_t now_ms);
/* An event of our container. */
void keeper_event(struct keeper *k, const struct docker_event *e,
    int64_t now_ms);
/* Something speaks for looking at once. */
void keeper_doubt(struct keeper *k, int64_t now_ms);
enum step keeper_saw(struct keeper *k, const struct docker_container *c,
    int64_t now_ms);
/* Compose has ended well. */
void keeper_upped(struct keeper *k, int64_t now_ms);
/* What is due. */
enum step keeper_due(struct keeper *k, int64_t now_ms);
int64_t keeper_deadline(const struct keeper *k);
enum seen keeper_seen(const struct docker_container *c);
/* "ok", "degraded", "failing" or "unknown" for a container that runs, and
 * why. */
const char *keeper_health(const struct docker_container *c,
    const char **why);

#endif
