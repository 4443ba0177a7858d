/* SPDX-License-Identifier: ISC */
/*
 * Linux: memory from /proc/meminfo, stalls from /proc/pressure/memory where
 * the kernel has it. Limits of control groups are the containers' affair.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "osmem.h"

struct field {
	const char	*name;
	int64_t		 kib;		/* -1 not seen */
};

enum { F_TOTAL, F_AVAILABLE, F_SWAP_TOTAL, F_SWAP_FREE, F_COUNT };

static FILE *
open_proc(const char *proc, const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof path, "%s/%s", proc, name) >=
	    (int)sizeof path) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "re");
}

/* proc(5): "MemTotal:       32594428 kB" */
static int
read_meminfo(const char *proc, struct field *f)
{
	char line[160], name[64];
	int64_t kib;
	FILE *in;
	size_t i;

	if ((in = open_proc(proc, "meminfo")) == NULL)
		return -1;
	while (fgets(line, sizeof line, in) != NULL) {
		if (sscanf(line, "%63[^:]: %" SCNd64, name, &kib) != 2)
			continue;
		for (i = 0; i < F_COUNT; i++)
			if (strcmp(f[i].name, name) == 0 && kib >= 0 &&
			    kib < INT64_MAX / 1024)
				f[i].kib = kib;
	}
	(void)fclose(in);
	if (f[F_TOTAL].kib > 0 && f[F_AVAILABLE].kib >= 0)
		return 0;
	errno = EINVAL;
	return -1;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" */
static int
read_stall(const char *proc)
{
	double avg10;
	char line[160];
	int percent = -1;
	FILE *in;

	if ((in = open_proc(proc, "pressure/memory")) == NULL)
		return -1;
	while (fgets(line, sizeof line, in) != NULL)
		if (sscanf(line, "some avg10=%lf", &avg10) == 1 &&
		    avg10 >= 0 && avg10 <= 100)
			percent = (int)avg10;
	(void)fclose(in);
	return percent;
}

int
osmem_sample(const char *proc, struct mem_sample *m)
{
	struct field f[F_COUNT] = {
		[F_TOTAL] = { "MemTotal", -1 },
		[F_AVAILABLE] = { "MemAvailable", -1 },
		[F_SWAP_TOTAL] = { "SwapTotal", 0 },
		[F_SWAP_FREE] = { "SwapFree", 0 },
	};

	if (proc == NULL)
		proc = "/proc";
	if (read_meminfo(proc, f) < 0)
		return -1;
	m->total = f[F_TOTAL].kib * 1024;
	m->available = f[F_AVAILABLE].kib * 1024;
	m->swap_total = f[F_SWAP_TOTAL].kib * 1024;
	m->swap_used = (f[F_SWAP_TOTAL].kib - f[F_SWAP_FREE].kib) * 1024;
	m->stall_percent = read_stall(proc);
	m->verdict = MEM_UNKNOWN;
	return 0;
}
