/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_TOP_H
#define SVTREE_SVCTL_TOP_H

#include "svctl.h"

/* What svctl top shows of one service beside its status. */
struct load {
	char	 name[64];
	int64_t	 pid;		/* whose group was measured */
	uint64_t rss, cpu_ms;
	int64_t	 at_ms;
	int	 permille;	/* CPU since the look before, -1 unknown */
};

enum order { BY_NAME, BY_CPU, BY_MEMORY };

struct top {
	struct ctl *c;
	struct term t;
	struct list list;
	struct load *load;	/* one for each of list, same order */
	int	 columns, rows;
	int	 at, offset;	/* selected, first shown */
	enum order order;
	bool	 log;		/* the lower half shows its log */
	int	 asked;		/* key that wants a y, 0 none */
	bool	 gone;		/* no supervisor any more */
	char	 message[256];
};

/* svctl_top_draw.c */
void top_draw(struct top *t);
int top_list_rows(const struct top *t);

#endif
