/* SPDX-License-Identifier: ISC */
/*
 * The end of a run: its status on record, in words, and to the machine.
 */
#include <sys/wait.h>

#include <stdio.h>
#include <string.h>

#include "os.h"
#include "policy.h"
#include "service.h"

const char *
service_exit_words(int status, char *dst, size_t cap)
{
	if (WIFEXITED(status))
		(void)snprintf(dst, cap, "ended with code %d",
		    WEXITSTATUS(status));
	else
		(void)snprintf(dst, cap, "was killed by %s",
		    conf_signal_name(WTERMSIG(status)));
	return dst;
}

static void
record_exit(struct record *r, int status)
{
	r->exit_us = os_wall_us();
	r->exit_core = 0;
	r->exit_value = 0;
	if (status == -1)
		r->exit_kind = EXIT_UNKNOWN;
	else if (WIFEXITED(status)) {
		r->exit_kind = EXIT_CODE;
		r->exit_value = (uint8_t)WEXITSTATUS(status);
	} else {
		r->exit_kind = EXIT_SIGNAL;
		r->exit_value = (uint8_t)WTERMSIG(status);
		r->exit_core = WCOREDUMP(status) ? 1 : 0;
	}
}

/* Says how it ended, unless the reason of an ordered stop stands. */
static void
describe_exit(struct service *sv)
{
	struct record *r = &sv->rec;

	if (r->state == ST_STOPPING) {	/* or it was stopped for a fault */
		r->clean = r->want == WANT_DOWN || r->again != 0 ||
		    sv->tree->stopping;
		return;
	}
	r->clean = policy_is_success(sv->conf, r);
	if (sv->start_errno != 0)
		return;			/* spawn_gate has said it */
	if (r->exit_oom)
		return;			/* the run itself has said it */
	if (r->exit_kind == EXIT_CODE)
		service_set_reason(sv, "exited with code %d", r->exit_value);
	else if (r->exit_kind == EXIT_SIGNAL)
		service_set_reason(sv, "killed by %s",
		    conf_signal_name(r->exit_value));
	else
		service_set_reason(sv, "ended, status unknown");
}

void
service_exited(struct service *sv, int status)
{
	(void)spawn_gate(sv);
	service_ready_close(sv);
	os_unwatch_proc(sv->watch);
	sv->watch = -1;
	record_exit(&sv->rec, status);
	sv->rec.exit_oom = sv->ends_by_oom;
	sv->ends_by_oom = false;
	sv->rec.health = HEALTH_UNKNOWN;	/* it was that of the run */
	sv->rec.health_text[0] = '\0';
	if (sv->start_errno != 0 && sv->lost_lock) {
		sv->rec.pid = 0;
		service_event(sv, EV_LOCKED,
		    "its lock is held by a process that is not on record");
		return;
	}
	describe_exit(sv);
	event_tell(sv, "exit", sv->rec.reason);
	service_event(sv, EV_EXITED, NULL);
}
