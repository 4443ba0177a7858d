/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FEED_WORDS_H
#define SVTREE_FEED_WORDS_H

#include "conf.h"
#include "json.h"

/* The words of an event; "" where there is none. */
struct words {
	char	 event[24], service[CONF_NAME_MAX + 1];
	char	 state[16], want[8], health[16];
	char	 reason[CONF_INCIDENT_MAX + 1], at[40];
};

void words_read(struct words *w, const struct json *j, int event);
/* Is it worth a line for a person? */
bool words_count(const struct words *w);

/* feed_past.c: keeps the latest of those, as svlog may be behind; has the
 * history of the last day from the log. */
void past_keep(const char *json, size_t len);
void past_open(void);

#endif
