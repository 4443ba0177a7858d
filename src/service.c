/* SPDX-License-Identifier: ISC */
/*
 * One service: events go through the machine, what it orders is done, the
 * record is written before it is done. The state is set in one line here.
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "log.h"
#include "os.h"
#include "policy.h"
#include "service.h"

int
service_save(struct service *sv)
{
	if (table_write(&sv->tree->table, sv->slot, &sv->rec) == 0)
		return 0;
	log_warn("%s: write its record", sv->conf->name);
	return -1;
}

void
service_set_reason(struct service *sv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sv->rec.reason, sizeof sv->rec.reason, fmt, ap);
	va_end(ap);
}

static void
decide(struct service *sv)
{
	struct record *r = &sv->rec;
	int64_t now = os_now_ms();
	bool failed;
	struct verdict v;
	char why[sizeof r->reason + 80];

	if (sv->removed)
		r->want = WANT_DOWN;
	failed = policy_is_failure(r) && !tree_is_over(sv);
	if (tree_is_over(sv))	/* the wish stands, for the next supervisor */
		v = (struct verdict){ EV_REST, 0, "" };
	else
		v = policy_decide(sv->conf, r, now, os_dice());
	r->again = 0;
	r->pid = 0;
	r->start = 0;
	r->ready_ms = 0;
	if (v.event == EV_DELAY || v.event == EV_TRIP)
		r->deadline_ms = v.delay_ms < 0 ? 0 : now + v.delay_ms;
	(void)snprintf(why, sizeof why, "%s%s%s", r->reason,
	    v.why[0] != '\0' && r->reason[0] != '\0' ? "; " : "", v.why);
	service_event(sv, v.event, why);
	if (failed)
		hook_tell(sv, HOOK_CRASH, why);
	if (v.event == EV_TRIP)
		hook_tell(sv, HOOK_TRIP, why);
}

/* A reason that ends with the waiting. */
static bool
is_about_waiting(const struct service *sv)
{
	return strncmp(sv->rec.reason, "waits for ", 10) == 0 ||
	    strstr(sv->rec.reason, "service.conf:") == sv->rec.reason;
}

static void
try_start(struct service *sv)
{
	char why[sizeof sv->rec.reason];
	const struct conf_need *need;

	if (tree_is_over(sv)) {
		service_event(sv, EV_DOWN, NULL);
		return;
	}
	if (sv->conf->broken != NULL) {
		service_set_reason(sv, "%s", sv->conf->broken);
		(void)service_save(sv);
		return;
	}
	need = needs_unmet(sv);
	if (need == NULL) {
		service_event(sv, EV_GO, is_about_waiting(sv) ? "" : NULL);
		return;
	}
	needs_words(sv, need, why, sizeof why);
	if (strcmp(why, sv->rec.reason) == 0)
		return;
	service_set_reason(sv, "%s", why);
	(void)service_save(sv);
	event_tell(sv, "waits", sv->rec.reason);
}

/* restart-with: those who must not outlive the instance that they knew. */
static void
restart_followers(const struct service *sv)
{
	const struct tree *t = sv->tree;
	char why[CONF_NAME_MAX + 24];
	int i, k;

	(void)snprintf(why, sizeof why, "%s was restarted", sv->conf->name);
	for (i = 0; i < t->n; i++) {
		const struct conf_list *with = &t->sv[i]->conf->restart_with;
		enum state state = t->sv[i]->rec.state;

		if (state != ST_UP && state != ST_STARTING)
			continue;
		for (k = 0; k < with->n; k++)
			if (strcmp(with->v[k], sv->conf->name) == 0)
				service_restart(t->sv[i], why,
				    AGAIN_ASKED);
	}
}

static void
spawn(struct service *sv)
{
	int64_t limit = sv->conf->start_timeout_ms;

	sv->rec.deadline_ms = limit > 0 ? os_now_ms() + limit : 0;
	if (spawn_service(sv) < 0)
		service_event(sv, EV_NOSPAWN, NULL);
	else if (sv->rec.exit_kind != EXIT_NONE)
		restart_followers(sv);
}

/* One row per action, in the order in which they are done; DO_DISARM is done
 * before, as it belongs into the record. */
static const struct {
	enum action	 action;
	void		(*run)(struct service *);
} actions[] = {
	{ DO_STOP,	 service_stop },
	{ DO_ESCALATE,	 service_escalate },
	{ DO_CLEAR,	 service_clear },
	{ DO_PUSH,	 service_look },
	{ DO_SEEK,	 spawn_seek },
	{ DO_DECIDE,	 decide },
	{ DO_TRY,	 try_start },
	{ DO_SPAWN,	 spawn },
};

void
service_apply(struct service *sv, struct move m, const char *why)
{
	struct record *r = &sv->rec;
	bool changed = r->state != m.next;
	size_t i;

	if (why != NULL)
		service_set_reason(sv, "%s", why);
	if (changed) {
		r->state = (uint8_t)m.next;
		r->since_us = os_wall_us();
		if (m.next != ST_UP)
			sv->dog_ms = 0;
		sv->tree->needs_changed = true;
		if (m.next == ST_DOWN || m.next == ST_TRIPPED)
			service_sockets_close(sv);
	}
	if (m.actions & DO_DISARM)
		r->deadline_ms = 0;
	/* First the record, then the deed; those who signal write it once more
	 * themselves, with the deadline. */
	if (!(m.actions & (DO_STOP | DO_ESCALATE)))
		(void)service_save(sv);
	if (changed)
		event_state(sv);
	for (i = 0; i < nitems(actions); i++)
		if (m.actions & actions[i].action)
			actions[i].run(sv);
	if (m.actions & (DO_CLEAR | DO_PUSH | DO_SEEK))
		(void)service_save(sv);
}

void
service_event(struct service *sv, enum event event, const char *why)
{
	enum state state = sv->rec.state;
	struct move m = machine_step(state, event);
	char copy[sizeof sv->rec.reason];

	if (m.rule == RULE_BUG)
		log_warnx("%s: bug: event %s in state %s", sv->conf->name,
		    event_name(event), state_name(state));
	if (m.rule != RULE_MOVE)
		return;
	if (why != NULL) {	/* may point into the reason itself */
		(void)snprintf(copy, sizeof copy, "%s", why);
		why = copy;
	}
	service_apply(sv, m, why);
}

/* What is wanted is on record before anything is done about it: written by
 * the event when that moves the service, else here. */
static void
wish(struct service *sv, enum event event, const char *why)
{
	if (machine_step((enum state)sv->rec.state, event).rule != RULE_MOVE)
		(void)service_save(sv);
	service_event(sv, event, why);
}

void
service_want(struct service *sv, enum want want, const char *why)
{
	struct record *r = &sv->rec;

	if (sv->tree->stopping && want != WANT_DOWN)
		return;
	r->want = (uint8_t)want;
	if (want != WANT_DOWN && r->due_ms == TIMER_HELD)
		r->due_ms = 0;
	/* What is on its way down starts when it is there: no failure. */
	r->again = want != WANT_DOWN && (r->state == ST_STOPPING ||
	    r->state == ST_FINISHING);
	if (want != WANT_DOWN)
		policy_reset(r);
	wish(sv, want == WANT_DOWN ? EV_DOWN : EV_UP, why);
}

void
service_restart(struct service *sv, const char *why, enum again again)
{
	if (sv->tree->stopping)
		return;
	if (sv->rec.want == WANT_DOWN)
		sv->rec.want = sv->conf->type == TYPE_ONESHOT ? WANT_ONCE :
		    WANT_UP;
	sv->rec.again = state_is_alive(sv->rec.state) ? (uint8_t)again :
	    AGAIN_NO;
	wish(sv, EV_RESTART, why);
}

void
service_rest(struct service *sv)
{
	/* A successor, should we die before it is down, starts it again. */
	sv->rec.again = sv->rec.want != WANT_DOWN &&
	    state_is_alive((enum state)sv->rec.state) ? AGAIN_ASKED :
	    AGAIN_NO;
	wish(sv, EV_DOWN, "shutdown");
}

void
service_timer(struct service *sv, int64_t now)
{
	struct record *r = &sv->rec;

	if (sv->aux_ms != 0 && sv->aux_ms <= now) {
		if (sv->aux_pid > 0) {
			service_kill_aux(sv);
			sv->aux_ms = now + 1000;
		} else if (sv->aux == AUX_CHECK) {
			service_check(sv);
		}
	}
	service_script_timer(sv, now);
	if (sv->dog_ms != 0 && sv->dog_ms <= now)
		service_watchdog(sv, "no WATCHDOG=1 within its watchdog time");
	if (r->deadline_ms == 0 || r->deadline_ms > now)
		return;
	r->deadline_ms = 0;
	if (r->state == ST_STARTING)
		service_start_late(sv);
	else
		service_event(sv, EV_TIMER, NULL);
}

int64_t
service_deadline(const struct service *sv)
{
	int64_t at[] = { sv->rec.deadline_ms, sv->aux_ms, sv->dog_ms,
	    sv->script_ms };
	int64_t first = -1;
	size_t i;

	for (i = 0; i < nitems(at); i++)
		if (at[i] != 0)
			first = policy_sooner(first, at[i]);
	return first;
}
