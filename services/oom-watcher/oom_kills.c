/* SPDX-License-Identifier: ISC */
/*
 * From a kill by the kernel to the service whose process it was: by the
 * session of the process, which is read at once, as it is about to go; else
 * by a service whose run has just ended with SIGKILL. The supervisor learns
 * of the end a moment later than we do, so it is asked a few times. Kills in
 * containers are told of by the engine's events, not here.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_kills.h"
#include "oom_kmsg.h"
#include "oom_tell.h"
#include "os.h"
#include "when.h"

#define PENDING		16
#define ASK_MS		300	/* between two questions */
#define ASKS		8
#define CALL_MS		3000
#define NEAR_US		INT64_C(3000000) /* around the kill, an end is its */
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

static struct pending {
	struct kernel_kill kill;
	int64_t	 sid;			/* of the process, -1 unknown */
	int64_t	 from_us, to_us;	/* when it was */
	int64_t	 ask_ms;		/* 0: free */
	int	 asked;
} pending[PENDING];

static void
add(const struct kernel_kill *kill, int64_t from_us)
{
	int64_t now_us = os_wall_us();
	pid_t sid = kill->pid > 0 ? getsid((pid_t)kill->pid) : -1;
	int i;

	for (i = 0; i < PENDING - 1 && pending[i].ask_ms != 0; i++)
		continue;
	pending[i] = (struct pending){ .kill = *kill, .from_us = from_us,
	    .to_us = now_us, .ask_ms = os_now_ms(), .sid = sid };
}

/* --- where it is seen */

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
			add(&kill, os_wall_us());
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
		add(&unknown, os_wall_us() - every_ms * 1000);
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
		add(&unknown, os_wall_us() - every_ms * 1000 - NEAR_US);
		if ((int64_t)st.st_mtime > newest)
			newest = (int64_t)st.st_mtime;
	}
	(void)closedir(d);
	k.since_s = newest;
}

/* --- whose it was */

static bool
ended_by_it(const struct json *j, int sv, const struct pending *p)
{
	int e = json_get(j, sv, "last_exit");
	int64_t code = 0, at_us;
	char at[40];

	if (json_str(j, json_get(j, e, "at"), at, sizeof at) < 0 ||
	    (at_us = when_parse(at)) == 0)
		return false;
	(void)json_int(j, json_get(j, e, "code"), &code);
	return (json_is(j, json_get(j, e, "signal"), "SIGKILL") ||
	    code == 137) && at_us >= p->from_us - NEAR_US &&
	    at_us <= p->to_us + NEAR_US;
}

/* True: whose it was is known, and told. */
static bool
tell(const char *service, const struct pending *p, bool ended)
{
	char who[120], words[240];
	struct report r = { .incident = words };

	kill_words(&p->kill, ended && p->kill.pid == 0 ? "it" : "its process",
	    who, sizeof who);
	(void)snprintf(words, sizeof words, "the kernel killed %s for memory: "
	    "%s", who, p->kill.limited ? "raise the limit of its control "
	    "group" : "the host has too little; see svctl doctor");
	log_info("%s: %s", service, words);
	if (ended) {
		r.oom = true;
		r.reason = "killed by the kernel: out of memory";
	}
	(void)tell_send(service, &r);
	return true;
}

/* A process of a run that goes on, or else the one run that has ended so. */
static bool
look_through(const struct client_reply *r, const struct pending *p)
{
	const struct json *j = &r->json;
	int list = json_get(j, r->params, "services"), v, ended = 0;
	char name[CONF_NAME_MAX + 1], only[CONF_NAME_MAX + 1];
	int64_t pid;

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		pid = 0;
		(void)json_int(j, json_get(j, v, "pid"), &pid);
		if (json_str(j, json_get(j, v, "name"), name,
		    sizeof name) < 0 || oom_conf_is_container(name))
			continue;
		if (p->sid > 0 && p->sid != p->kill.pid) {
			if (pid == p->sid)
				return tell(name, p, false);
			continue;	/* another session's: no end of ours */
		}
		if (ended_by_it(j, v, p) && ended++ == 0)
			(void)strlcpy(only, name, sizeof only);
	}
	return ended == 1 && tell(only, p, true);
}

static bool
ask(const struct pending *p)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	bool known = false;

	if (!report_wanted() || client_open(&c, NULL, err) < 0)
		return false;
	if (client_call(&c, "Status", NULL, &r, CALL_MS, err) == 0)
		known = look_through(&r, p);
	client_close(&c);
	return known;
}

/* A container's is told of by its events; without a name it may be one. */
static void
give_up(const struct pending *p)
{
	char who[120], words[200];
	struct report r = { .incident = words };

	if (p->kill.pid == 0 || p->kill.limited)
		return;
	kill_words(&p->kill, "the process", who, sizeof who);
	(void)snprintf(words, sizeof words, "the kernel killed %s for memory; "
	    "it is no service's", who);
	log_info("%s", words);
	(void)tell_send(oom_conf_self(), &r);
}

static int64_t
ask_due(int64_t now_ms)
{
	int64_t next = INT64_MAX;
	struct pending *p;

	for (p = pending; p < pending + PENDING; p++) {
		if (p->ask_ms == 0)
			continue;
		if (p->ask_ms <= now_ms) {
			p->ask_ms = now_ms + ASK_MS;
			if (ask(p)) {
				p->ask_ms = 0;
			} else if (++p->asked == ASKS) {
				give_up(p);
				p->ask_ms = 0;
			}
		}
		if (p->ask_ms != 0 && p->ask_ms < next)
			next = p->ask_ms;
	}
	return next;
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
	next = ask_due(now_ms);
	return k.look_ms < next ? k.look_ms : next;
}
