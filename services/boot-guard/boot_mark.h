/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_BOOT_MARK_H
#define SVTREE_BOOT_MARK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What is known of the boots so far, and what follows from it for this one.
 * Pure.
 */
struct boot_mark {
	char	 boot[64];	/* identity of the boot it was written in */
	int	 unclean;	/* boots in a row before it that crashed */
	bool	 clean;		/* we were told to stop */
	bool	 held;		/* who needs us is held back */
};

/* One line of text to a mark; 0, or -1 when it is none. */
int boot_mark_read(const char *text, struct boot_mark *m);
/* The length written, without the NUL. */
int boot_mark_write(const struct boot_mark *m, char *dst, size_t cap);
/* The mark that stands from now on. before NULL: there is none yet. A hold
 * ends with a clean boot, or when we are stopped and started in the same
 * boot: a person has looked. */
void boot_mark_next(const struct boot_mark *before, const char *boot,
    int limit, struct boot_mark *now);

#endif
