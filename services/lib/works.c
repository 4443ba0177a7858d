/* SPDX-License-Identifier: ISC */
/*
 * What of a silent server's CPU time is work: more than an idle loop takes.
 * Where many want the CPU, who works gets but a share of it, and is not to be
 * taken for one that hangs.
 */
#include <stdlib.h>
#include <unistd.h>

#include "works.h"

#define PERCENT	5.0	/* of one CPU: more than idle loops take */
#define LEAST_MS 30	/* more than a tick or two of the clock */
#define TICK_MS	10	/* the least that is seen at all */

bool
works_when(int64_t cpu_ms, int64_t took_ms, double load, long cpus)
{
	double share = load > (double)cpus ? (double)cpus / load : 1;
	double least = LEAST_MS * share;

	if (least < TICK_MS)
		least = TICK_MS;
	return took_ms > 0 && (double)cpu_ms >= least &&
	    (double)cpu_ms * 100 >= (double)took_ms * PERCENT * share;
}

bool
works(int64_t cpu_ms, int64_t took_ms)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double load = 0;

	if (getloadavg(&load, 1) != 1)
		load = 0;
	return works_when(cpu_ms, took_ms, load, cpus > 0 ? cpus : 1);
}
