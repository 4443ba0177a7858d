/* SPDX-License-Identifier: ISC */
/* The table of the service's life: every cell filled, and its promises. */
#include <criterion/criterion.h>

#include "buf.h"
#include "machine.h"

Test(machine, every_cell_is_filled)
{
	int s, e;

	for (s = 0; s < ST_COUNT; s++)
		for (e = 0; e < EV_COUNT; e++) {
			struct move m = machine_step((enum state)s,
			    (enum event)e);

			cr_expect_neq(m.rule, RULE_MISSING, "%s x %s",
			    state_name((enum state)s),
			    event_name((enum event)e));
			cr_expect_lt(m.next, ST_COUNT);
		}
}

Test(machine, every_state_and_event_has_a_name)
{
	int i;

	for (i = 0; i < ST_COUNT; i++)
		cr_expect_not_null(state_name((enum state)i));
	for (i = 0; i < EV_COUNT; i++)
		cr_expect_not_null(event_name((enum event)i));
	for (i = 0; i < WANT_COUNT; i++)
		cr_expect_not_null(want_name((enum want)i));
	cr_expect_str_eq(state_name(ST_COUNT), "?");
	cr_expect_str_eq(event_name(EV_COUNT), "?");
	cr_expect_str_eq(want_name(WANT_COUNT), "?");
}

Test(machine, outside_of_the_table_is_a_bug_and_changes_nothing)
{
	cr_expect_eq(machine_step(ST_COUNT, EV_UP).rule, RULE_BUG);
	cr_expect_eq(machine_step(ST_UP, EV_COUNT).rule, RULE_BUG);
	cr_expect_eq(machine_step(ST_UP, EV_COUNT).next, ST_UP);
}

/* At most one: a process is made only on the way from WAITING, where none
 * can be left. */
Test(machine, only_waiting_spawns)
{
	int s, e;

	for (s = 0; s < ST_COUNT; s++)
		for (e = 0; e < EV_COUNT; e++)
			if (machine_step((enum state)s, (enum event)e).actions
			    & DO_SPAWN)
				cr_expect_eq(s, ST_WAITING);
}

/* From a state with a process only the exit leads to one without. */
Test(machine, a_living_process_is_never_forgotten)
{
	static const enum state living[] = { ST_STARTING, ST_UP, ST_STOPPING };
	size_t i;
	int e;

	for (i = 0; i < nitems(living); i++)
		for (e = 0; e < EV_COUNT; e++) {
			struct move m = machine_step(living[i],
			    (enum event)e);

			if (e == EV_NOSPAWN || e == EV_LOCKED)
				continue;	/* there was none */
			cr_expect(state_is_alive(m.next), "%s x %s",
			    state_name(living[i]), event_name((enum event)e));
		}
}

static const struct {
	enum state	from;
	enum event	event;
	enum state	to;
	unsigned	actions;
} steps[] = {
	{ ST_DOWN, EV_UP, ST_WAITING, DO_TRY },
	{ ST_WAITING, EV_GO, ST_STARTING, DO_SPAWN },
	{ ST_WAITING, EV_DOWN, ST_DOWN, DO_DISARM },
	{ ST_STARTING, EV_READY, ST_UP, DO_DISARM },
	{ ST_STARTING, EV_DOWN, ST_STOPPING, DO_STOP },
	{ ST_STARTING, EV_TIMER, ST_STOPPING, DO_STOP },
	{ ST_UP, EV_LOCKED, ST_UNKNOWN, DO_SEEK },
	{ ST_UP, EV_EXITED, ST_FINISHING, DO_CLEAR },
	{ ST_UP, EV_RESTART, ST_STOPPING, DO_STOP },
	{ ST_STOPPING, EV_TIMER, ST_STOPPING, DO_ESCALATE },
	{ ST_STOPPING, EV_EXITED, ST_FINISHING, DO_CLEAR },
	{ ST_STOPPING, EV_UP, ST_STOPPING, DO_NOTHING },
	{ ST_FINISHING, EV_CLEARED, ST_FINISHING, DO_DECIDE },
	{ ST_FINISHING, EV_REST, ST_DOWN, DO_DISARM },
	{ ST_FINISHING, EV_DELAY, ST_BACKOFF, DO_NOTHING },
	{ ST_BACKOFF, EV_DOWN, ST_DOWN, DO_DISARM },
	{ ST_BACKOFF, EV_TIMER, ST_WAITING, DO_DISARM | DO_TRY },
	{ ST_TRIPPED, EV_UP, ST_WAITING, DO_DISARM | DO_TRY },
	{ ST_UNKNOWN, EV_TIMER, ST_UNKNOWN, DO_SEEK },
	{ ST_UNKNOWN, EV_FOUND, ST_UP, DO_DISARM },
};

Test(machine, steps_lead_where_the_essay_says)
{
	size_t i;

	for (i = 0; i < nitems(steps); i++) {
		struct move m = machine_step(steps[i].from, steps[i].event);

		cr_expect_eq(m.next, steps[i].to, "%s x %s -> %s",
		    state_name(steps[i].from), event_name(steps[i].event),
		    state_name(m.next));
		cr_expect_eq(m.actions, steps[i].actions, "%s x %s",
		    state_name(steps[i].from), event_name(steps[i].event));
	}
}

Test(machine, alive_is_what_may_have_a_process)
{
	static const bool alive[ST_COUNT] = { [ST_STARTING] = true,
	    [ST_UP] = true, [ST_STOPPING] = true, [ST_FINISHING] = true,
	    [ST_UNKNOWN] = true };
	int state;

	for (state = 0; state < ST_COUNT; state++)
		cr_expect_eq(state_is_alive((enum state)state), alive[state],
		    "%s", state_name((enum state)state));
}
