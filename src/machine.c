/* SPDX-License-Identifier: ISC */
/*
 * The table of the service's life, and its words. machine.h has the essay.
 */
#include "buf.h"
#include "machine.h"

#define MOVE(to, what)	{ RULE_MOVE, (to), (what) }
#define STAY(what)	{ RULE_MOVE, STAY_HERE, (what) }
#define IGNORE		{ RULE_IGNORE, ST_DOWN, DO_NOTHING }
#define BUG		{ RULE_BUG, ST_DOWN, DO_NOTHING }
#define STAY_HERE	ST_COUNT

/* What the policy says, where it is asked and where it is not. */
#define VERDICT								\
	[EV_AGAIN]	= MOVE(ST_WAITING, DO_DISARM | DO_TRY),		\
	[EV_DELAY]	= MOVE(ST_BACKOFF, DO_NOTHING),			\
	[EV_TRIP]	= MOVE(ST_TRIPPED, DO_NOTHING),			\
	[EV_REST]	= MOVE(ST_DOWN, DO_DISARM),
#define NO_VERDICT							\
	[EV_AGAIN]	= BUG,						\
	[EV_DELAY]	= BUG,						\
	[EV_TRIP]	= BUG,						\
	[EV_REST]	= BUG,

/* BACKOFF and TRIPPED differ in their deadline alone. */
#define PAUSE {								\
	[EV_UP]		= MOVE(ST_WAITING, DO_DISARM | DO_TRY),		\
	[EV_DOWN]	= MOVE(ST_DOWN, DO_DISARM),			\
	[EV_RESTART]	= MOVE(ST_WAITING, DO_DISARM | DO_TRY),		\
	[EV_NEEDS]	= IGNORE,					\
	[EV_GO]		= BUG,						\
	[EV_READY]	= IGNORE,					\
	[EV_NOSPAWN]	= BUG,						\
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),			\
	[EV_FOUND]	= BUG,						\
	[EV_EXITED]	= BUG,						\
	[EV_CLEARED]	= BUG,						\
	[EV_TIMER]	= MOVE(ST_WAITING, DO_DISARM | DO_TRY),		\
	NO_VERDICT							\
}

static const struct move table[ST_COUNT][EV_COUNT] = {
[ST_DOWN] = {
	[EV_UP]		= MOVE(ST_WAITING, DO_TRY),
	[EV_DOWN]	= IGNORE,
	[EV_RESTART]	= MOVE(ST_WAITING, DO_TRY),
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= BUG,
	[EV_CLEARED]	= BUG,
	[EV_TIMER]	= IGNORE,
	NO_VERDICT
},
[ST_WAITING] = {
	[EV_UP]		= STAY(DO_TRY),
	[EV_DOWN]	= MOVE(ST_DOWN, DO_DISARM),
	[EV_RESTART]	= STAY(DO_TRY),
	[EV_NEEDS]	= STAY(DO_TRY),
	[EV_GO]		= MOVE(ST_STARTING, DO_SPAWN),
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= BUG,
	[EV_CLEARED]	= BUG,
	[EV_TIMER]	= STAY(DO_TRY),
	NO_VERDICT
},
[ST_STARTING] = {
	[EV_UP]		= IGNORE,
	[EV_DOWN]	= MOVE(ST_STOPPING, DO_STOP),
	[EV_RESTART]	= MOVE(ST_STOPPING, DO_STOP),
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= MOVE(ST_UP, DO_DISARM),
	[EV_NOSPAWN]	= MOVE(ST_FINISHING, DO_DECIDE),
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= MOVE(ST_FINISHING, DO_CLEAR),
	[EV_CLEARED]	= BUG,
	[EV_TIMER]	= MOVE(ST_STOPPING, DO_STOP),
	NO_VERDICT
},
[ST_UP] = {
	[EV_UP]		= IGNORE,
	[EV_DOWN]	= MOVE(ST_STOPPING, DO_STOP),
	[EV_RESTART]	= MOVE(ST_STOPPING, DO_STOP),
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	/* An instance that no record names said READY for it. */
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= MOVE(ST_FINISHING, DO_CLEAR),
	[EV_CLEARED]	= BUG,
	[EV_TIMER]	= IGNORE,
	NO_VERDICT
},
[ST_STOPPING] = {
	[EV_UP]		= IGNORE,	/* want decides when it is gone */
	[EV_DOWN]	= IGNORE,
	[EV_RESTART]	= IGNORE,
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= MOVE(ST_FINISHING, DO_CLEAR),
	[EV_CLEARED]	= BUG,
	[EV_TIMER]	= STAY(DO_ESCALATE),
	NO_VERDICT
},
[ST_FINISHING] = {
	[EV_UP]		= IGNORE,	/* as in STOPPING */
	[EV_DOWN]	= IGNORE,
	[EV_RESTART]	= IGNORE,
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	[EV_LOCKED]	= MOVE(ST_UNKNOWN, DO_SEEK),
	[EV_FOUND]	= BUG,
	[EV_EXITED]	= BUG,
	[EV_CLEARED]	= STAY(DO_DECIDE),
	[EV_TIMER]	= STAY(DO_PUSH),
	VERDICT
},
[ST_BACKOFF] = PAUSE,
[ST_TRIPPED] = PAUSE,
[ST_UNKNOWN] = {
	[EV_UP]		= IGNORE,	/* want decides when the lock is free */
	[EV_DOWN]	= IGNORE,
	[EV_RESTART]	= IGNORE,
	[EV_NEEDS]	= IGNORE,
	[EV_GO]		= BUG,
	[EV_READY]	= IGNORE,
	[EV_NOSPAWN]	= BUG,
	[EV_LOCKED]	= IGNORE,
	[EV_FOUND]	= MOVE(ST_UP, DO_DISARM),
	[EV_EXITED]	= IGNORE,	/* the child that the lock kept out */
	[EV_CLEARED]	= STAY(DO_DECIDE),
	[EV_TIMER]	= STAY(DO_SEEK),
	VERDICT
},
};

static const char *const states[ST_COUNT] = {
	[ST_DOWN] = "DOWN", [ST_WAITING] = "WAITING",
	[ST_STARTING] = "STARTING", [ST_UP] = "UP",
	[ST_STOPPING] = "STOPPING", [ST_FINISHING] = "FINISHING",
	[ST_BACKOFF] = "BACKOFF", [ST_TRIPPED] = "TRIPPED",
	[ST_UNKNOWN] = "UNKNOWN",
};

static const char *const wants[WANT_COUNT] = {
	[WANT_DOWN] = "down", [WANT_UP] = "up", [WANT_ONCE] = "once",
};

static const char *const events[EV_COUNT] = {
	[EV_UP] = "up", [EV_DOWN] = "down", [EV_RESTART] = "restart",
	[EV_NEEDS] = "needs", [EV_GO] = "go", [EV_READY] = "ready",
	[EV_NOSPAWN] = "no-spawn", [EV_LOCKED] = "locked",
	[EV_FOUND] = "found", [EV_EXITED] = "exited",
	[EV_CLEARED] = "cleared", [EV_TIMER] = "timer",
	[EV_AGAIN] = "again", [EV_DELAY] = "delay", [EV_TRIP] = "trip",
	[EV_REST] = "rest",
};

struct move
machine_step(enum state state, enum event event)
{
	struct move m = { RULE_BUG, state, DO_NOTHING };

	if (state >= ST_COUNT || event >= EV_COUNT)
		return m;
	m = table[state][event];
	if (m.rule != RULE_MOVE || m.next == STAY_HERE)
		m.next = state;
	return m;
}

const char *
state_name(enum state state)
{
	return state < ST_COUNT ? states[state] : "?";
}

const char *
want_name(enum want want)
{
	return want < WANT_COUNT ? wants[want] : "?";
}

const char *
event_name(enum event event)
{
	return event < EV_COUNT ? events[event] : "?";
}

bool
state_is_alive(enum state state)
{
	return state == ST_STARTING || state == ST_UP ||
	    state == ST_STOPPING || state == ST_FINISHING ||
	    state == ST_UNKNOWN;
}
