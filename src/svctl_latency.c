/* SPDX-License-Identifier: ISC */
/*
 * How long a service took to answer its probes, as health-monitor has noted
 * it, in words.
 */
#include <stdio.h>

#include "latency.h"
#include "os.h"
#include "svctl.h"

void
ctl_latency_words(char *dst, size_t cap, const char *run, const char *name)
{
	int64_t newest = os_wall_us() / 1000000 / LATENCY_SLOT_S;
	char dir[512], last[40], failed[60] = "";
	uint64_t n;
	struct latency_day day;
	struct latency l;

	dst[0] = '\0';
	if (client_run_dir(run, dir, sizeof dir) < 0 ||
	    !latency_find(dir, name, &l))
		return;
	day = latency_sum_day(&l, newest);
	if ((n = day.n + day.failed) == 0)
		return;
	if (l.last_ok)
		(void)snprintf(last, sizeof last, "last %u ms",
		    (unsigned)l.last_ms);
	else
		(void)snprintf(last, sizeof last, "no answer the last time");
	if (day.failed > 0)
		(void)snprintf(failed, sizeof failed, ", %llu without an "
		    "answer", (unsigned long long)day.failed);
	(void)snprintf(dst, cap, "%s; in 24 h mean %.1f ms, at most %u ms, "
	    "%llu probes%s", last, day.n == 0 ? 0 :
	    (double)day.sum_ms / (double)day.n, (unsigned)day.max_ms,
	    (unsigned long long)n, failed);
}
