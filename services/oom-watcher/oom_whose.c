/* SPDX-License-Identifier: ISC */
/*
 * From a kill by the kernel to the service whose process it was: by its pid
 * and the session of the process, which is read at once, as it is about to go;
 * else by a service whose run has just ended so. The supervisor learns
 * of the end a moment later than we do, so it is asked a few times.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_tell.h"
#include "oom_whose.h"
#include "os.h"
#include "when.h"

#define PENDING		16
#define ASK_MS		300	/* between two questions */
#define ASKS		8
#define CALL_MS		3000

static struct pending {
	struct kernel_kill kill;
	int64_t	 sid;			/* of the process, -1 unknown */
	int64_t	 from_us, to_us;	/* when it was */
	int64_t	 ask_ms;		/* 0: free */
	int	 asked;
	char	 owner[CONF_NAME_MAX + 1]; /* whose first process it was */
	bool	 answered;		/* the supervisor did */
	int	 ended;			/* services that have ended so */
} pending[PENDING];

void
whose_add(const struct kernel_kill *kill, int64_t from_us)
{
	int64_t now_us = os_wall_us();
	pid_t sid = kill->pid > 0 ? getsid((pid_t)kill->pid) : -1;
	int i;

	for (i = 0; i < PENDING - 1 && pending[i].ask_ms != 0; i++)
		continue;
	pending[i] = (struct pending){ .kill = *kill, .from_us = from_us,
	    .to_us = now_us, .ask_ms = os_now_ms(), .sid = sid };
}

static bool
ended_by_it(const struct json *j, int sv, const char *name,
    const struct pending *p)
{
	int e = json_get(j, sv, "last_exit");
	int64_t code = 0, at_us;
	bool told = false;
	char at[40];

	if (p->owner[0] != '\0' && strcmp(p->owner, name) != 0)
		return false;
	(void)json_bool(j, json_get(j, e, "oom"), &told);
	if (told && p->owner[0] == '\0')
		return false;	/* that was another kill */
	if (json_str(j, json_get(j, e, "at"), at, sizeof at) < 0 ||
	    (at_us = when_parse(at)) == 0)
		return false;
	(void)json_int(j, json_get(j, e, "code"), &code);
	return (json_is(j, json_get(j, e, "signal"), "SIGKILL") ||
	    code == 137) && at_us >= p->from_us - NEAR_US &&
	    at_us <= p->to_us + NEAR_US;
}

/* Of a session that goes on beside those of the services. */
static bool
is_another_s(const struct pending *p)
{
	return p->sid > 0 && p->sid != p->kill.pid &&
	    getsid((pid_t)p->sid) >= 0;
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
look_through(const struct client_reply *r, struct pending *p)
{
	const struct json *j = &r->json;
	int list = json_get(j, r->params, "services"), v;
	char name[CONF_NAME_MAX + 1], only[CONF_NAME_MAX + 1];
	int64_t pid;

	p->ended = 0;
	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		pid = 0;
		(void)json_int(j, json_get(j, v, "pid"), &pid);
		if (json_str(j, json_get(j, v, "name"), name,
		    sizeof name) < 0 || oom_conf_is_container(name))
			continue;
		if (pid > 0 && pid == p->kill.pid) {	/* about to end */
			(void)strlcpy(p->owner, name, sizeof p->owner);
			return false;
		}
		if (pid > 0 && pid == p->sid)
			return tell(name, p, false);
		if (ended_by_it(j, v, name, p) && p->ended++ == 0)
			(void)strlcpy(only, name, sizeof only);
	}
	return p->ended == 1 && !is_another_s(p) && tell(only, p, true);
}

static bool
ask(struct pending *p)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	bool known = false;

	if (!report_wanted() || client_open(&c, NULL, err) < 0)
		return false;
	if (client_call(&c, "Status", NULL, &r, CALL_MS, err) == 0) {
		p->answered = true;
		known = look_through(&r, p);
	}
	client_close(&c);
	return known;
}

/* A container's is told of by its events; without a name it may be one. */
static void
give_up(const struct pending *p)
{
	char who[120], words[200];
	struct report r = { .incident = words };

	if (p->owner[0] != '\0') {
		(void)tell(p->owner, p, false);
		return;
	}
	if (p->kill.pid == 0 || p->kill.limited)
		return;
	kill_words(&p->kill, "the process", who, sizeof who);
	(void)snprintf(words, sizeof words, "the kernel killed %s for memory; "
	    "%s", who, !p->answered ? "the supervisor does not say whose it "
	    "was" : p->ended > 1 && !is_another_s(p) ? "several services "
	    "ended just then" : "it is no service's");
	log_info("%s", words);
	(void)tell_send(oom_conf_self(), &r);
}

int64_t
whose_step(int64_t now_ms)
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
