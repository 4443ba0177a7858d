/* SPDX-License-Identifier: ISC */
/*
 * A disk that is nearly full, as an incident: how much is left, what of it
 * are our logs and whose, and the command that makes room. Nothing is deleted
 * by us.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_disk.h"
#include "oom_growth.h"
#include "oom_logs.h"
#include "oom_tell.h"

#define DISKS		8
#define DISK_SHORT	5	/* percent free */
#define DISK_CALM	2	/* percent above DISK_SHORT: no longer short */
#define DISK_SHARE	4	/* a quarter of what is used is worth naming */

static struct disk {
	dev_t	 dev;
	bool	 used, is_short;
} disks[DISKS];

static struct disk *
disk_of(dev_t dev)
{
	int i;

	for (i = 0; i < DISKS && disks[i].used; i++)
		if (disks[i].dev == dev)
			return &disks[i];
	if (i == DISKS)
		return NULL;
	disks[i] = (struct disk){ .dev = dev, .used = true };
	return &disks[i];
}

static bool
is_on(const char *path, dev_t dev)
{
	struct stat st;

	return path != NULL && stat(path, &st) == 0 && st.st_dev == dev;
}

/* What else is known to fill disks, and the command that empties it. */
static const char *
other_mend(dev_t dev)
{
	static const struct {
		const char *path, *mend;
	} places[] = {
		{ "/var/lib/docker", "docker system prune" },
		{ "/var/lib/containers", "podman system prune" },
		{ "/Applications/Docker.app", "docker system prune" },
	};
	const char *store;
	size_t k;
	int i;

	for (k = 0; k < nitems(places); k++)
		if (is_on(places[k].path, dev))
			return places[k].mend;
	for (i = 0; (store = oom_conf_store(i)) != NULL; i++)
		if (is_on(store, dev))
			return "ollama rm MODEL";
	return "du -xh -d 2 / | sort -h";
}

static void
tell(const char *what, const char *path, dev_t dev, const struct statvfs *fs,
    int percent, const char *logs)
{
	int64_t used = (int64_t)((fs->f_blocks - fs->f_bfree) *
	    (uint64_t)fs->f_frsize);
	char words[320], all[24], most[24];
	struct report r = { .incident = words };
	struct logs_size s = { .name = "" };
	struct buf b;

	buf_init(&b, words, sizeof words);
	buf_printf(&b, "only %d %% of the disk with %s is free (%.80s)",
	    percent, what, path);
	if (logs != NULL && is_on(logs, dev))
		logs_size(logs, &s);
	if (s.largest > 0) {
		bytes_words(s.all, all, sizeof all);
		bytes_words(s.largest, most, sizeof most);
		buf_printf(&b, "; logs take %s, most that of %s, %s", all,
		    s.name, most);
	}
	if (s.all >= used / DISK_SHARE)
		buf_printf(&b, ": a smaller [log] total makes room, svctl "
		    "edit %s", s.name);
	else
		buf_printf(&b, ": %s", other_mend(dev));
	(void)buf_cstr(&b);
	log_warnx("%s", words);
	(void)tell_send(oom_conf_self(), &r);
}

static void
tell_calm(const char *what, const char *path, int percent)
{
	char words[200];
	struct report r = { .incident = words };

	(void)snprintf(words, sizeof words, "%d %% of the disk with %s is "
	    "free again (%.80s)", percent, what, path);
	log_info("%s", words);
	(void)tell_send(oom_conf_self(), &r);
}

/* In percent of all blocks, without those kept for root. */
static void
look_at(const char *what, const char *path, const char *logs, int *worst,
    bool *changed)
{
	struct statvfs fs;
	struct disk *d;
	struct stat st;
	bool is_short;
	int percent;

	if (path == NULL || stat(path, &st) < 0 || statvfs(path, &fs) < 0 ||
	    fs.f_blocks == 0 || (d = disk_of(st.st_dev)) == NULL)
		return;
	percent = (int)((uint64_t)fs.f_bavail * 100 / (uint64_t)fs.f_blocks);
	is_short = percent < DISK_SHORT + (d->is_short ? DISK_CALM : 0);
	if (is_short != d->is_short) {
		d->is_short = is_short;
		*changed = true;
		if (is_short)
			tell(what, path, st.st_dev, &fs, percent, logs);
		else
			tell_calm(what, path, percent);
	}
	if (is_short && (*worst < 0 || percent < *worst))
		*worst = percent;
}

int
disk_look(const char *logs, bool *changed)
{
	const char *store;
	int i, worst = -1;

	*changed = false;
	look_at("the logs", logs, logs, &worst, changed);
	for (i = 0; (store = oom_conf_store(i)) != NULL; i++)
		look_at("the models", store, logs, &worst, changed);
	return worst;
}
