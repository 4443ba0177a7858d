/* SPDX-License-Identifier: ISC */
/*
 * The timers of oneshots. What was missed while the machine slept, or while
 * there was no supervisor, is made up for by one run.
 */
#include <stdlib.h>

#include "log.h"
#include "os.h"
#include "policy.h"
#include "service.h"

static void
run_timer(struct service *sv)
{
	struct record *r = &sv->rec;
	struct timer_verdict v;

	if (sv->conf->every_ms == 0 || r->disabled || sv->removed) {
		if (r->due_ms > 0) {	/* begins anew when it may again */
			r->due_ms = 0;
			(void)service_save(sv);
		}
		return;
	}
	v = policy_timer(sv->conf, r->due_ms, os_awake_ms(), os_dice());
	if (v.due_ms == r->due_ms)
		return;
	r->due_ms = v.due_ms;
	if (v.run && r->state == ST_DOWN)
		service_want(sv, WANT_ONCE, "timer");
	else
		(void)service_save(sv);
}

void
tree_timers(struct tree *t)
{
	int64_t first = -1;
	int i;

	for (i = 0; i < t->n && !t->stopping; i++) {
		run_timer(t->sv[i]);
		if (t->sv[i]->rec.due_ms > 0)
			first = policy_sooner(first, t->sv[i]->rec.due_ms);
	}
	if (first == t->alarm_ms)
		return;
	if (t->alarm_fd < 0 && first >= 0) {
		t->alarm_fd = os_alarm();
		if (t->alarm_fd < 0 || os_watch(t->alarm_fd, OS_READ,
		    TAG(TAG_ALARM, 0)) < 0)
			log_warn("make the alarm of the timers");
	}
	if (t->alarm_fd >= 0 && os_alarm_at(t->alarm_fd, first) < 0)
		log_warn("set the alarm of the timers");
	t->alarm_ms = first;
}
