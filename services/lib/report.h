/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_REPORT_H
#define SVTREE_REPORT_H

#include <stdbool.h>

#include "client.h"

/*
 * What a service program tells the supervisor of a service (method Report).
 * NULL leaves a field out. The supervisor's record keeps about 70 bytes of
 * the reason for a health and 80 of the text: put what matters first. An
 * incident is kept up to CONF_INCIDENT_MAX bytes.
 */
struct report {
	const char	*health;	/* unknown ok busy degraded failing */
	const char	*text;
	const char	*reason;
	const char	*incident;
	bool		 oom;		/* the last run was killed for memory */
	bool		 ending;	/* not the last run: ours, now */
	bool		 ended;		/* the reason is how the last run ended,
					   and it was not for memory */
};

/* Under the supervisor? Only then is there somebody to report to. */
bool report_wanted(void);
/* One connection, one Report, at most 3 s. 0; -1 with a reason in err
 * (CLIENT_ERR_LEN): not sent, another time may do; 1 likewise, but the
 * supervisor has answered and will answer so again. */
int report_send(const char *service, const struct report *r, char *err);

#endif
