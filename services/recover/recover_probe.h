/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_RECOVER_PROBE_H
#define SVTREE_RECOVER_PROBE_H

#include "recover_plan.h"

/*
 * One fresh probe of a service, beside those of the others: started here,
 * brought on by http_run and probe_step. Timeouts are the service's own.
 */
struct probe {
	const struct conf_health *health;
	enum answer	 answer;	/* ANSWER_NONE while under way */
	char		 words[RECOVER_WORDS]; /* why it is not OK */
	int		 id;		/* of http_start, 0 none */
	int		 choice;	/* of paths */
	int		 fd;		/* of a TCP probe, -1 none */
	int64_t		 deadline_ms;	/* of a TCP probe */
};

/* Can the service be asked through an address? exec cannot: that is the
 * health monitor's. */
bool probe_can(const struct conf_health *h);
/* p must stay where it is until it is answered or cancelled. */
void probe_start(struct probe *p, const struct conf_health *h,
    int64_t now_ms);
/* For TCP probes; HTTP answers arrive by http_run. */
void probe_step(struct probe *p, int64_t now_ms);
void probe_cancel(struct probe *p);
bool probe_is_busy(const struct probe *p);

/* Port of the address when it is on this machine, else 0. */
uint16_t probe_local_port(const struct conf_health *h);

#endif
