/* SPDX-License-Identifier: ISC */
/*
 * Samples the host's memory and the disk of the logs, and reports them on
 * our own service: a change of level at once, other changes only when they
 * are worth an event. At the critical level it asks for relief. The levels
 * are oom_ladder.c's.
 */
#include <sys/statvfs.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "oom_conf.h"
#include "oom_host.h"
#include "oom_ladder.h"
#include "oom_relief.h"
#include "oom_tell.h"

#define REFRESH_MS	60000	/* of the text, at most so often */
#define REFRESH_PERCENT	5	/* and only when memory moved so far */
#define DISK_SHORT	5	/* percent free */
#define DISK_CALM	2	/* percent above DISK_SHORT: no longer short */

static struct {
	int64_t		 at_ms, told_ms;
	struct ladder	 ladder;
	bool		 told;		/* the supervisor knows the level */
	bool		 failed;	/* to sample, said once */
	bool		 disk_short;
	int		 told_percent;
} host;

/* In percent of all blocks, without those kept for root; -1 unknown. */
static int
disk_free(const char *path)
{
	struct statvfs fs;

	if (path == NULL || statvfs(path, &fs) < 0 || fs.f_blocks == 0)
		return -1;
	return (int)((uint64_t)fs.f_bavail * 100 / (uint64_t)fs.f_blocks);
}

static bool
disk_changed(const char *path, int percent)
{
	bool is_short = host.disk_short ? percent < DISK_SHORT + DISK_CALM :
	    percent < DISK_SHORT;

	if (percent < 0 || is_short == host.disk_short)
		return false;
	host.disk_short = is_short;
	if (is_short)
		log_warnx("%s: only %d %% of the disk is free", path, percent);
	else
		log_info("%s: %d %% of the disk is free again", path, percent);
	return true;
}

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
	percent = disk_free(o->disk);
	disk = disk_changed(o->disk, percent);
	host_words(&m, host.disk_short ? percent : -1, words, sizeof words);
	percent = mem_used_percent(&m);
	if (changed || disk || !host.told ||
	    is_worth_telling(percent, now_ms)) {
		host.told_percent = percent;
		host.told_ms = now_ms;
		report_level(words, changed);
	}
	if (host.ladder.level == PRESSURE_CRITICAL)
		relief_want(now_ms);
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
