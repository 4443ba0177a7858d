/* SPDX-License-Identifier: ISC */
/*
 * The memory of the services: their processes from the supervisor, what they
 * use from the system. One look asks one question; what it means is
 * oom_trend.c's.
 */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "conf.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_tell.h"
#include "oom_trend.h"
#include "oom_usage.h"
#include "os.h"

#define SERVICES	256	/* more are not looked at */
#define CALL_MS		3000

static struct usage {
	char	 name[CONF_NAME_MAX + 1];
	int64_t	 pid;
	bool	 seen;
	struct trend trend;
} table[SERVICES];
static int64_t at_ms;

/* The entry of that run; a new run begins a new one. */
static struct usage *
usage_of(const char *name, int64_t pid)
{
	struct usage *u, *unused = NULL;

	for (u = table; u < table + SERVICES; u++) {
		if (strcmp(u->name, name) == 0)
			break;
		if (unused == NULL && u->name[0] == '\0')
			unused = u;
	}
	if (u == table + SERVICES && (u = unused) == NULL)
		return NULL;
	if (u->pid != pid) {
		*u = (struct usage){ .pid = pid };
		(void)strlcpy(u->name, name, sizeof u->name);
	}
	u->seen = true;
	return u;
}

static void
take(const char *name, int64_t pid, int64_t now_ms)
{
	struct usage *u = usage_of(name, pid);
	int64_t limit = oom_conf_limit(name);
	enum trend_news news;
	uint64_t rss, cpu_ms;
	char words[120];
	struct report r = { .incident = words, .text = words };

	if (u == NULL || os_group_usage((pid_t)pid, &rss, &cpu_ms) < 0)
		return;
	news = trend_take(&u->trend, (int64_t)rss, limit, now_ms);
	if (news == TREND_NONE)
		return;
	trend_words(&u->trend, news, (int64_t)rss, limit, words,
	    sizeof words);
	log_info("%s: %s", name, words);
	if (news == TREND_BELOW)
		r.text = "";
	(void)tell_send(name, &r);
}

static void
take_all(const struct client_reply *r, int64_t now_ms)
{
	const struct json *j = &r->json;
	int list = json_get(j, r->params, "services"), v;
	char name[CONF_NAME_MAX + 1];
	struct usage *u;
	int64_t pid;

	for (u = table; u < table + SERVICES; u++)
		u->seen = false;
	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v))
		if (json_int(j, json_get(j, v, "pid"), &pid) == 0 &&
		    pid > 0 && json_str(j, json_get(j, v, "name"), name,
		    sizeof name) == 0)
			take(name, pid, now_ms);
	for (u = table; u < table + SERVICES; u++)
		if (!u->seen)
			u->name[0] = '\0';
}

int64_t
usage_step(int64_t every_ms, int64_t now_ms)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;

	if (!report_wanted())
		return INT64_MAX;
	if (now_ms < at_ms)
		return at_ms;
	at_ms = now_ms + every_ms;
	if (client_open(&c, NULL, err) < 0)
		return at_ms;	/* the next supervisor is asked */
	if (client_call(&c, "Status", NULL, &r, CALL_MS, err) == 0)
		take_all(&r, now_ms);
	client_close(&c);
	return at_ms;
}
