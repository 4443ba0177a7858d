/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_TALLY_H
#define SVTREE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What events add up to, by service, since the listener began. Pure: events
 * come in with their time.
 */
enum tally_reason { REASON_EXIT, REASON_SIGNAL, REASON_OOM, REASON_HEALTH,
	REASON_ASKED, TALLY_REASONS };

#define TALLY_BOUNDS	9
extern const int tally_bound_ms[TALLY_BOUNDS];	/* of times to repair */

struct tally {
	char	 name[64];
	uint64_t incidents, ooms;
	uint64_t exits, signals, sick;	/* faults: how they began */
	uint64_t repair[TALLY_BOUNDS + 1]; /* of which the last is above all */
	int64_t	 repair_us;		/* of all repairs together */
	enum tally_fault { FAULT_NONE, FAULT_EXIT, FAULT_HEALTH } fault;
	int64_t	 since_us;		/* of the fault that goes on */
	uint64_t restarts[TALLY_REASONS]; /* what ended the run before */
	bool	 ended, oom;		/* a run, for this reason: */
	enum tally_reason reason;
};

struct tally_event {
	const char *service, *event, *state, *want, *health, *reason;
	int64_t	 at_us;
};

void tally_add(const struct tally_event *e);
/* All zero for a service that nothing was heard of. */
struct tally tally_of(const char *service);
const char *tally_reason_name(enum tally_reason r);
void tally_reset(void);

#endif
