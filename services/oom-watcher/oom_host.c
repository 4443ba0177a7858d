/* SPDX-License-Identifier: ISC */
/*
 * Samples the host's memory and the disks, and reports them on our own
 * service: a change of level at once, other changes only when they
 * are worth an event. At the critical level it asks for relief. The levels
 * are oom_ladder.c's.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "oom_conf.h"
#include "oom_disk.h"
#include "oom_host.h"
#include "oom_ladder.h"
#include "oom_last.h"
#include "oom_relief.h"
#include "oom_tell.h"

#define REFRESH_MS	60000	/* of the text, at most so often */
#define REFRESH_PERCENT	5	/* and only when memory moved so far */

static struct {
	int64_t		 at_ms, told_ms;
	struct ladder	 ladder;
	bool		 told;		/* the supervisor knows the level */
	bool		 failed;	/* to sample, said once */
	int		 told_percent;
} host;

static void
report_level(const char *words, bool changed)
{
	const char *level = pressure_word(host.ladder.level);
	char reason[160], incident[160];
	struct report r = { .text = words, .reason = reason };

	r.health = host.ladder.level == PRESSURE_OK ? "ok" : "degraded";
	(void)snprintf(reason, sizeof reason, "%s: %s", level, words);
	(void)snprintf(incident, sizeof incident, "host memory %s: %s", level,
	    words);
	if (changed) {
		log_info("%s", incident);
		r.incident = incident;
	}
	host.told = tell_send(oom_conf_self(), &r) == 0;
}

static bool
is_worth_telling(int percent, int64_t now_ms)
{
	return abs(percent - host.told_percent) >= REFRESH_PERCENT &&
	    now_ms - host.told_ms >= REFRESH_MS;
}

static void
look(const struct host_opts *o, int64_t now_ms)
{
	struct mem_sample m;
	bool changed, disk;
	char words[80];
	int percent;

	if (osmem_sample(o->proc, &m) < 0) {
		if (!host.failed)
			log_warn("read the host's memory");
		host.failed = true;
		return;
	}
	host.failed = false;
	changed = ladder_step(&host.ladder, &m);
	percent = disk_look(o->logs, &disk);
	host_words(&m, percent, words, sizeof words);
	percent = mem_used_percent(&m);
	if (changed || disk || !host.told ||
	    is_worth_telling(percent, now_ms)) {
		host.told_percent = percent;
		host.told_ms = now_ms;
		report_level(words, changed);
	}
	if (host.ladder.level == PRESSURE_CRITICAL)
		relief_want(now_ms);
	last_look(host.ladder.level == PRESSURE_CRITICAL);
}

int64_t
host_step(const struct host_opts *o, int64_t now_ms)
{
	if (now_ms >= host.at_ms) {
		look(o, now_ms);
		host.at_ms = now_ms + o->every_ms;
	}
	return host.at_ms;
}
