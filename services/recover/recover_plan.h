/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_RECOVER_PLAN_H
#define SVTREE_RECOVER_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "json.h"

/*
 * What is to be done for a service, from what the supervisor says of it and
 * what a fresh probe said. Pure: no clock, no descriptor, no log.
 */
struct facts {			/* "" where the status says null */
	char	 name[CONF_NAME_MAX + 1];
	char	 want[8], state[16], health[16];
	char	 reason[128];	/* for the state */
	char	 health_text[96];
	char	 text[96];	/* what the program says of itself */
	bool	 oneshot, enabled;
	int64_t	 pid;		/* 0 none */
	int64_t	 since_us;	/* of the state; 0 unknown */
};

enum plan {
	PLAN_SKIP,		/* nobody wants it up: no word about it */
	PLAN_LEAVE,		/* a person's word stands */
	PLAN_START,		/* wanted, and nothing runs */
	PLAN_PROBE,		/* runs: ask it */
	PLAN_TRUST,		/* runs, and nothing speaks against it */
	PLAN_RESTART,		/* runs, and says itself that it fails */
	PLAN_WAIT,		/* on its way: see where it arrives */
	PLAN_ALARM		/* held by a process that no record names */
};

enum answer {
	ANSWER_NONE,		/* not yet */
	ANSWER_OK,
	ANSWER_BUSY,		/* alive, and at work */
	ANSWER_DEGRADED,	/* alive, with a complaint */
	ANSWER_WRONG,		/* answers what no restart would mend */
	ANSWER_DEAD		/* refused, silent, or broken */
};

/* What a probe's answer leads to. */
enum step { STEP_HEALTHY, STEP_STARTING, STEP_RESTART, STEP_FORBIDDEN,
	STEP_HOPELESS };

/* One element of the status's list of services. -1: it has no name. */
int facts_read(struct facts *f, const struct json *j, int service);
/* An event: want, state, health, pid, and the reason of a change of state.
 * The rest stays empty. -1: it is of no service. */
int facts_read_event(struct facts *f, const struct json *j, int event);

/* can_probe: service.conf names an address that can be asked. */
enum plan plan_of(const struct facts *f, bool can_probe);
/* Of a service that is up. */
enum step plan_after(const struct facts *f, const struct conf_health *h,
    enum answer answer, int64_t wall_us);
/* The service that a WAITING one says it waits for; false when none. */
bool plan_waits_for(const struct facts *f, char name[CONF_NAME_MAX + 1]);

/* What the answer of an HTTP server is worth, by type of the probe. words
 * (RECOVER_WORDS) says why when it is not OK. status 0 is judged by the
 * caller. ANSWER_NONE: this server does not know the path; ask the next. */
#define RECOVER_WORDS	160
enum answer plan_judge(const struct conf_health *h, int status,
    const char *body, size_t len, char *words);
/* The path to ask, the n-th choice; NULL when there is no further. */
const char *plan_path(const struct conf_health *h, int n);

#endif
