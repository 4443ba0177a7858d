/* SPDX-License-Identifier: ISC */
/*
 * Counts boots that ended without a shutdown: those in whose mark nobody had
 * written that it was told to stop. Knows no file and no clock.
 */
#include <stdio.h>
#include <string.h>

#include "boot_mark.h"

int
boot_mark_read(const char *text, struct boot_mark *m)
{
	char end[8], hold[8];

	*m = (struct boot_mark){ .unclean = 0 };
	if (sscanf(text, "boot %63s unclean %d %7s %7s", m->boot, &m->unclean,
	    end, hold) != 4 || m->unclean < 0)
		return -1;
	m->clean = strcmp(end, "clean") == 0;
	m->held = strcmp(hold, "held") == 0;
	return (m->clean || strcmp(end, "runs") == 0) &&
	    (m->held || strcmp(hold, "free") == 0) ? 0 : -1;
}

int
boot_mark_write(const struct boot_mark *m, char *dst, size_t cap)
{
	return snprintf(dst, cap, "boot %s unclean %d %s %s\n", m->boot,
	    m->unclean, m->clean ? "clean" : "runs",
	    m->held ? "held" : "free");
}

void
boot_mark_next(const struct boot_mark *before, const char *boot, int limit,
    struct boot_mark *now)
{
	*now = (struct boot_mark){ .unclean = 0 };
	(void)snprintf(now->boot, sizeof now->boot, "%s", boot);
	if (before == NULL)
		return;
	if (strcmp(before->boot, boot) != 0) {
		if (!before->clean)
			now->unclean = before->unclean + 1;
		now->held = now->unclean >= limit;
		return;
	}
	now->held = before->held && !before->clean;
	if (before->held && before->clean)
		return;		/* let go by hand: the count begins anew */
	now->unclean = before->unclean;
}
