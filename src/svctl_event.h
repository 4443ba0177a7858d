/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_EVENT_H
#define SVTREE_SVCTL_EVENT_H

#include "conf.h"
#include "svctl.h"

/* One event of the supervisor (type Event of org.svtree.varlink). */
struct event {
	int64_t	 seq;
	char	 at[32], event[16], service[64], state[16], want[8];
	char	 health[16], reason[CONF_INCIDENT_MAX + 1];
};

void event_take(const struct json *j, int o, struct event *e);
/* A line of the supervisor's log. 0, or -1 when it is none. */
int event_parse(const char *line, size_t len, struct event *e);
/* Does it concern the services named (all when none is)? */
bool event_concerns(const struct ctl *c, const struct event *e);

#endif
