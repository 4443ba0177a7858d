/* SPDX-License-Identifier: ISC */
/*
 * What is done about a verdict: the rungs of the ladder, and advice where
 * only a person can help.
 */
#include <stdio.h>
#include <string.h>

#include "health.h"
#include "launcher.h"
#include "log.h"
#include "os.h"

#define REASON_MAX	99	/* bytes that the supervisor takes */
#define DUMP_MS		1000	/* to write what SIGQUIT asks for */
#define RECOVER		"recover"
#define AGAIN_MS	120000	/* until an order without effect is repeated */

/* Another LLM server that was restarted is not there yet: they share the
 * memory and the GPU, and one is enough at a time. */
static bool
others_under_repair(const struct target *self, int64_t now_ms)
{
	const struct target *t;
	int i;

	if (!self->is_llm)
		return false;
	for (i = 0; i < targets_count(); i++) {
		t = targets_get(i);
		if (t != self && t->is_llm && t->repair_ms > now_ms)
			return true;
	}
	return false;
}

void
remedy_restart(struct target *t, int64_t now_ms)
{
	t->restart_ms = 0;
	t->repair_ms = now_ms + t->conf->stop_timeout_ms +
	    t->rules.start_grace_ms;
	if (link_restart(t->conf->name, t->cause) == 0)
		return;
	ladder_take_back(&t->ladder);
	budget_save();
	t->repair_ms = 0;
	t->cause[0] = '\0';
}

static void
begin_restart(struct target *t, const char *why, int64_t now_ms)
{
	log_info("%s: restart: %s", t->conf->name, why);
	budget_save();
	(void)snprintf(t->cause, sizeof t->cause, "%.*s", REASON_MAX, why);
	if (t->conf->health->dump && link_signal(t->conf->name, "QUIT") == 0)
		t->restart_ms = now_ms + DUMP_MS;
	else
		remedy_restart(t, now_ms);
}

static void
unload(struct target *t, const char *why)
{
	char incident[200];

	(void)snprintf(incident, sizeof incident, "unload %.60s: %.*s",
	    t->models.loaded, REASON_MAX, why);
	tell_text(t, NULL, incident);
	ask_unload(t);
	verdict_unloaded(&t->history);
	t->deep_ms = os_now_ms() + t->rules.timeout_ms;
}

static void
give_up(struct target *t)
{
	char text[80], incident[200];

	(void)snprintf(text, sizeof text, "restarted %d times in %d min in "
	    "vain; svctl restart tries again", LADDER_RESTARTS,
	    LADDER_WINDOW_MS / 60000);
	(void)snprintf(incident, sizeof incident, "gave up after %d restarts: "
	    "%.120s", LADDER_RESTARTS, t->told_why);
	tell_text(t, text, incident);
	/* It may be another's fault, which only a look at all of them shows. */
	if (targets_have_oneshot(RECOVER) && link_once(RECOVER) == 0)
		log_info("%s: %s is asked to look at the whole tree",
		    t->conf->name, RECOVER);
}

void
remedy_take(struct target *t, const struct judgement *j, int64_t now_ms)
{
	if (!t->conf->health->restart)
		return;
	switch (ladder_next(&t->ladder, j->remedy,
	    others_under_repair(t, now_ms), now_ms,
	    AGAIN_MS + t->conf->stop_timeout_ms)) {
	case STEP_NONE:
		break;
	case STEP_HOLD:
		tell_text(t, "waits with a restart: another LLM server is "
		    "being restarted", NULL);
		break;
	case STEP_UNLOAD:
		unload(t, t->told_why);
		break;
	case STEP_RESTART:
		begin_restart(t, t->told_why, now_ms);
		break;
	case STEP_GIVE_UP:
		give_up(t);
		break;
	}
}

/* --- what to do about who is not ours */

void
remedy_advise(struct target *t, const struct judgement *j,
    const struct round *r)
{
	char text[120], launcher[80] = "";

	if (j->verdict != VERDICT_FOREIGN)
		return;
	if (r->holder_pid > 0)
		launcher_advice((pid_t)r->holder_pid, r->holder_name,
		    launcher, sizeof launcher);
	if (launcher[0] != '\0')
		(void)snprintf(text, sizeof text, "%s, or [port] policy = "
		    "evict", launcher);
	else if (r->holder_pid > 0)
		(void)snprintf(text, sizeof text, "kill %ld, stop its "
		    "service, or [port] policy = evict", r->holder_pid);
	else if (r->foreign)
		(void)snprintf(text, sizeof text, "sudo lsof -nP -iTCP:%u "
		    "tells who has it", (unsigned)t->port);
	else
		(void)snprintf(text, sizeof text, "set user = owner-of:MODELS,"
		    " or pull the model as %.20s", t->user[0] != '\0' ?
		    t->user : "its user");
	tell_text(t, text, NULL);
}
