/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_MACHINE_H
#define SVTREE_MACHINE_H

#include <stdbool.h>

/*
 * The life of a service as a table. What a person or the tree wants (struct
 * record's want) stands beside the state, not in it; so do health, clocks
 * and counters. An event moves a service to the next state and names what to
 * do on the way in; the doing, and the next event that comes of it, belong to
 * service.c. Nothing here looks at a clock, a descriptor or a log.
 *
 * DOWN       nothing runs and nothing is due
 * WAITING    wanted, but something that it needs is not there yet
 * STARTING   the process is there, but has not said that it is ready
 * UP         ready
 * STOPPING   told to stop; the deadline leads to a harder signal
 * FINISHING  the leader is gone; its group is cleared and finish runs
 * BACKOFF    will be started when the deadline comes
 * TRIPPED    gave up; tried again, rarely, when the deadline comes
 * UNKNOWN    somebody holds the lock whom no record names
 *
 * EV_UP, EV_DOWN and EV_RESTART carry a wish that is already written in want.
 * Once FINISHING is over, DO_DECIDE asks the restart policy, whose answer is
 * EV_AGAIN, EV_DELAY, EV_TRIP or EV_REST; the deadline of BACKOFF and of
 * TRIPPED is that of the answer.
 */
enum want { WANT_DOWN, WANT_UP, WANT_ONCE, WANT_COUNT };

enum state {
	ST_DOWN, ST_WAITING, ST_STARTING, ST_UP, ST_STOPPING, ST_FINISHING,
	ST_BACKOFF, ST_TRIPPED, ST_UNKNOWN, ST_COUNT
};

enum event {
	EV_UP,		/* wanted up (or once) */
	EV_DOWN,	/* wanted down */
	EV_RESTART,	/* stop, then start */
	EV_NEEDS,	/* something that others need has changed */
	EV_GO,		/* all needs are met */
	EV_READY,	/* the program says, or is taken to be, ready */
	EV_NOSPAWN,	/* no process could be made */
	EV_LOCKED,	/* the lock is held by another process */
	EV_FOUND,	/* the holder of the lock was found and is watched */
	EV_EXITED,	/* the leader is gone */
	EV_CLEARED,	/* the group is empty and finish is done */
	EV_TIMER,	/* the deadline of the state has come */
	EV_AGAIN,	/* policy: start at once */
	EV_DELAY,	/* policy: start after a back-off */
	EV_TRIP,	/* policy: give up */
	EV_REST,	/* policy: stay down */
	EV_COUNT
};

enum action {
	DO_NOTHING	= 0,
	DO_DISARM	= 1 << 0,	/* no deadline */
	DO_TRY		= 1 << 1,	/* look at the needs, maybe EV_GO */
	DO_SPAWN	= 1 << 2,	/* make the process, arm the timeout */
	DO_STOP		= 1 << 3,	/* stop-signal, arm stop-timeout */
	DO_ESCALATE	= 1 << 4,	/* the next harder signal */
	DO_CLEAR	= 1 << 5,	/* clear the group, run finish */
	DO_PUSH		= 1 << 6,	/* that takes too long: be harder */
	DO_DECIDE	= 1 << 7,	/* ask the restart policy */
	DO_SEEK		= 1 << 8,	/* look for the holder of the lock */
};

/* A zeroed cell is RULE_MISSING: a test walks the table for those. */
enum rule { RULE_MISSING, RULE_MOVE, RULE_IGNORE, RULE_BUG };

struct move {
	enum rule	rule;
	enum state	next;
	unsigned	actions;	/* enum action, or-ed */
};

/* What event does in state. RULE_IGNORE and RULE_BUG keep the state. */
struct move machine_step(enum state state, enum event event);

/* DOWN, WAITING, ...; up, down, once; start, stop ... for messages. */
const char *state_name(enum state state);
const char *want_name(enum want want);
const char *event_name(enum event event);
/* A process of the service may exist in this state. */
bool state_is_alive(enum state state);

#endif
