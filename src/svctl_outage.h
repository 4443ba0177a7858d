/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_OUTAGE_H
#define SVTREE_SVCTL_OUTAGE_H

#include "svctl_event.h"

/*
 * Outages of services, computed from the supervisor's events: when a service
 * that is wanted up was not there or not healthy, why, and how it ended. What
 * a person asked for is no outage. Pure: events in, outages out.
 */
enum outage_end { END_OPEN, END_BACK, END_STOPPED, END_FAILED, END_NOTED };

struct outage {
	char	 service[64], reason[256];
	int64_t	 from_us, to_us;	/* to_us 0: not over */
	enum outage_end end;
	int	 times;		/* it was up in between, but not for long */
};

struct outage_service {
	char	 name[64];
	bool	 known;		/* the four that follow are */
	bool	 wanted, once, good;
	int64_t	 at_us;		/* of its last event */
	bool	 gap;		/* another supervisor since then */
	bool	 planned;	/* somebody asked for what happens */
	int64_t	 exit_us;	/* of an end that is not dealt with, 0 none */
	char	 exit_reason[256];
	int	 open, last;	/* indices into outages, -1 none */
	int64_t	 wanted_us, good_us;	/* sums since since_us */
	int	 n;		/* outages that began since then */
	int	 back;		/* of these repaired */
	int64_t	 repair_us, longest_us;
};

struct outages {
	int64_t	 since_us;	/* count from here */
	int64_t	 seq, first_us, last_us;
	struct outage_service *service;
	int	 ns, roomy;
	struct outage *outage;
	int	 n, room;
};

/* Events in the order in which they happened. -1: no memory. */
int outages_take(struct outages *o, const struct event *e);
/* Counts the time up to now and the figures of each service. */
void outages_end(struct outages *o, int64_t now_us);
void outages_free(struct outages *o);
struct outage_service *outages_find(struct outages *o, const char *name);
/* In thousandths of a percent: 0 to 100000, -1 when it was never wanted. */
int64_t outages_available(const struct outage_service *s);

#endif
