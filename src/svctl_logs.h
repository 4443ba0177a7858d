/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_LOGS_H
#define SVTREE_SVCTL_LOGS_H

#include "svctl.h"
#include "svctl_lines.h"

/* Several logs shown together. */
struct log {
	char	 name[64];
	struct lines lines;
	bool	 more;		/* lines holds one that is not yet shown */
	char	*part;		/* a line whose end has not come */
	size_t	 npart;
};

struct logs {
	struct term t;
	bool	 json, follow, too_many;
	struct lines_match match;
	struct log *log;
	int	 n, width;	/* of the longest name */
};

/* One that is printed, or the first part of it kept until its end comes. */
void logs_take(const struct logs *s, struct log *g, const char *line,
    size_t len);
void logs_put(const struct logs *s, const struct log *g, const char *line,
    size_t len);
/* Until interrupted, or until nobody reads what is printed. */
int logs_follow(struct logs *s);

#endif
