/* SPDX-License-Identifier: ISC */
/*
 * Where kills by the kernel are seen: in its log, by its counter, in reports
 * of macOS. Whose process it was is oom_whose.c's. Kills in containers are
 * told of by the engine's events, not here.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "oom_kills.h"
#include "oom_kmsg.h"
#include "oom_whose.h"
#include "os.h"

#define REPORTS		"/Library/Logs/DiagnosticReports"

static struct {
	int	 fd;			/* of the kernel's log, -1 none */
	bool	 is_device;
	const char *proc;
	char	 reports[300];
	int64_t	 since_s;		/* newer reports count */
	int64_t	 kills;			/* the counter; -1 none */
	int64_t	 look_ms;
} k = { .fd = -1, .kills = -1 };

static int
open_below(const char *name, int flags)
{
	char path[320];

	(void)snprintf(path, sizeof path, "%.255s/%s", k.proc != NULL ?
	    k.proc : "/proc", name);
	return open(path, O_RDONLY | O_CLOEXEC | flags);
}

static int64_t
count_kills(void)
{
	char text[16384];
	ssize_t n;
	int fd;

	if ((fd = open_below("vmstat", 0)) < 0)
		return -1;
	n = read(fd, text, sizeof text - 1);
	(void)close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return vmstat_kills(text);
}

void
kills_open(const char *proc)
{
	struct stat st;

	k.proc = proc;
	k.fd = proc != NULL ? open_below("kmsg", O_NONBLOCK) :
	    open("/dev/kmsg", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (k.fd >= 0) {
		(void)lseek(k.fd, 0, SEEK_END);
		k.is_device = fstat(k.fd, &st) == 0 && S_ISCHR(st.st_mode);
	}
	k.kills = count_kills();
	k.since_s = os_wall_us() / 1000000;
	(void)snprintf(k.reports, sizeof k.reports, "%.200s%s",
	    proc != NULL ? proc : "", proc != NULL ? "/reports" : REPORTS);
	if (k.fd < 0 && k.kills >= 0)
		log_info("may not read the kernel's log: whom it kills for "
		    "memory is concluded from its counter");
}

int
kills_fd(void)
{
	return k.is_device ? k.fd : -1;
}

static void
take_text(const char *text, size_t n)
{
	const char *end;
	struct kernel_kill kill;
	size_t len;

	while (n > 0) {
		end = memchr(text, '\n', n);
		len = end != NULL ? (size_t)(end - text) : n;
		if (kmsg_parse(text, len, &kill))
			whose_add(&kill, os_wall_us());
		len += end != NULL;
		text += len;
		n -= len;
	}
}

/* A record each time; EPIPE says that some were overwritten. */
static void
read_log(void)
{
	char record[8192];
	ssize_t n;
	int i;

	for (i = 0; i < 1000 && k.fd >= 0; i++) {
		n = read(k.fd, record, sizeof record);
		if (n > 0)
			take_text(record, (size_t)n);
		else if (n == 0 || errno != EPIPE)
			return;
	}
}

static void
look_at_counter(int64_t every_ms)
{
	struct kernel_kill unknown = { .pid = 0 };
	int64_t n = count_kills();

	if (n > k.kills && k.kills >= 0)
		whose_add(&unknown, os_wall_us() - every_ms * 1000);
	k.kills = n;
}

/* macOS: JetsamEvent-2026-11-24-101500.ips */
static void
look_at_reports(int64_t every_ms)
{
	struct kernel_kill unknown = { .pid = 0 };
	int64_t newest = k.since_s;
	char path[400];
	struct dirent *e;
	struct stat st;
	DIR *d;

	if ((d = opendir(k.reports)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path, "%.290s/%.100s", k.reports,
		    e->d_name);
		if (strncmp(e->d_name, "JetsamEvent-", 12) != 0 ||
		    stat(path, &st) < 0 || (int64_t)st.st_mtime <= k.since_s)
			continue;
		log_info("macOS has ended processes for memory: %s", path);
		whose_add(&unknown, os_wall_us() - every_ms * 1000 - NEAR_US);
		if ((int64_t)st.st_mtime > newest)
			newest = (int64_t)st.st_mtime;
	}
	(void)closedir(d);
	k.since_s = newest;
}

int64_t
kills_step(int64_t every_ms, int64_t now_ms)
{
	int64_t next;

	read_log();
	if (now_ms >= k.look_ms) {
		k.look_ms = now_ms + every_ms;
		if (k.fd < 0)
			look_at_counter(every_ms);
		look_at_reports(every_ms);
	}
	next = whose_step(now_ms);
	return k.look_ms < next ? k.look_ms : next;
}
