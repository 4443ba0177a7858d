/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OSMEM_H
#define SVTREE_OSMEM_H

#include <stdint.h>

/*
 * The memory of this host. osmem_linux.c and osmem_darwin.c implement it.
 */
struct mem_sample {
	int64_t	 total;		/* bytes */
	int64_t	 available;	/* could be given out without swapping */
	int64_t	 swap_total;
	int64_t	 swap_used;
	int	 stall_percent;	/* PSI some avg10; -1 unknown */
	int	 verdict;	/* the kernel's own, enum mem_verdict */
};

/* kern.memorystatus_vm_pressure_level speaks in these numbers. */
enum mem_verdict {
	MEM_UNKNOWN = 0, MEM_NORMAL = 1, MEM_WARN = 2, MEM_CRITICAL = 4
};

/* proc: directory to read instead of /proc, or NULL; only Linux has use for
 * it. 0, or -1 with errno. */
int osmem_sample(const char *proc, struct mem_sample *m);

#endif
