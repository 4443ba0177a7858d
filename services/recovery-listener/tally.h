/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_TALLY_H
#define SVTREE_TALLY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What events add up to, by service, since the listener began. Pure: events
 * come in with their time.
 */
struct tally {
	char	 name[64];
	uint64_t incidents, ooms;
	uint64_t exits, signals, sick;	/* faults: how they began */
	uint64_t repairs;
	int64_t	 repair_us;		/* of all repairs together */
	enum tally_fault { FAULT_NONE, FAULT_EXIT, FAULT_HEALTH } fault;
	int64_t	 since_us;		/* of the fault that goes on */
};

struct tally_event {
	const char *service, *event, *state, *want, *health, *reason;
	int64_t	 at_us;
};

void tally_add(const struct tally_event *e);
/* All zero for a service that nothing was heard of. */
struct tally tally_of(const char *service);
void tally_reset(void);

#endif
