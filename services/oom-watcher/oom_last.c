/* SPDX-License-Identifier: ISC */
/*
 * Before the kernel takes whom it likes, and the machine with it, one service
 * goes that its operator has called expendable: the largest that is not busy.
 * It is done once in a while only, and what came of it is told.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "box.h"
#include "client.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_last.h"
#include "oom_tell.h"
#include "os.h"

#define AFTER_LOOKS	6	/* in a row at the critical level */
#define REST_LOOKS	60	/* from one restart to the next */
#define CALL_MS		3000

struct choice {
	char	 name[CONF_NAME_MAX + 1];
	uint64_t rss;
};

static int critical, resting;

static void
consider(struct choice *best, const struct json *j, int sv)
{
	char name[CONF_NAME_MAX + 1];
	uint64_t rss, cpu_ms;
	int64_t pid;

	if (json_str(j, json_get(j, sv, "name"), name, sizeof name) < 0 ||
	    !oom_conf_is_expendable(name) ||
	    !json_is(j, json_get(j, sv, "state"), "UP") ||
	    json_is(j, json_get(j, sv, "health"), "busy") ||
	    json_int(j, json_get(j, sv, "pid"), &pid) < 0 || pid <= 0 ||
	    os_group_usage((pid_t)pid, &rss, &cpu_ms) < 0 || rss <= best->rss)
		return;
	(void)memcpy(best->name, name, sizeof best->name);
	best->rss = rss;
}

static void
restart(struct client *c, const struct choice *best)
{
	char size[24], reason[100], words[240], params[300];
	char err[CLIENT_ERR_LEN];
	struct report r = { .incident = words };
	struct client_reply reply;
	struct buf b;

	size_words((int64_t)best->rss, size, sizeof size);
	(void)snprintf(reason, sizeof reason, "the host's memory stays "
	    "critical: restarted, as the largest expendable, %s", size);
	buf_init(&b, params, sizeof params);
	json_open(&b, '{');
	json_set_str(&b, "name", best->name);
	json_set_str(&b, "reason", reason);
	json_set_bool(&b, "if_wanted", true);
	json_close(&b, '}');
	if (client_call(c, "Restart", buf_cstr(&b), &reply, CALL_MS, err) < 0)
		(void)snprintf(words, sizeof words, "the host's memory stays "
		    "critical, but the largest expendable, %s, is not "
		    "restarted: %.120s", size, err);
	else
		(void)strlcpy(words, reason, sizeof words);
	log_warnx("%s: %s", best->name, words);
	(void)tell_send(best->name, &r);
}

static bool
relieve(void)
{
	struct choice best = { .rss = 0 };
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct client c;
	int list, v;

	if (!report_wanted() || client_open(&c, NULL, err) < 0)
		return false;
	if (client_call(&c, "Status", NULL, &r, CALL_MS, err) == 0) {
		list = json_get(&r.json, r.params, "services");
		for (v = json_first(&r.json, list); v >= 0;
		    v = json_next(&r.json, list, v))
			consider(&best, &r.json, v);
		if (best.rss > 0)
			restart(&c, &best);
	}
	client_close(&c);
	return best.rss > 0;
}

void
last_look(bool is_critical)
{
	if (resting > 0)
		resting--;
	critical = is_critical ? critical + 1 : 0;
	if (critical < AFTER_LOOKS || resting > 0)
		return;
	critical = 0;
	if (relieve())
		resting = REST_LOOKS;
}
