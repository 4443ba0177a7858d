/* SPDX-License-Identifier: ISC */
/*
 * The first moment of a supervisor: what an earlier one left running is
 * watched and carried on with, what ended meanwhile is dealt with as an exit,
 * and what is wanted is started.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "os.h"
#include "service.h"

/* Watches the process on record. True when it is there. */
static bool
take_over(struct service *sv)
{
	struct record *r = &sv->rec;

	if (r->pid <= 1 || r->start == 0)
		return false;
	if (sv->tree->resumed && !r->adopted) {
		sv->is_child = true;	/* if it has ended, a wait tells */
		return true;
	}
	sv->watch = os_watch_proc(r->pid, r->start, TAG(TAG_PROC, sv->slot));
	if (sv->watch < 0)
		return false;
	sv->is_child = false;
	r->adopted = 1;
	(void)service_save(sv);
	event_tell(sv, "adopted", "found running by the new supervisor");
	return true;
}

static void
carry_on(struct service *sv)
{
	struct record *r = &sv->rec;

	service_ready_open(sv);
	if (r->state == ST_UP)
		service_feed_watchdog(sv);
	service_sockets_adopt(sv);
	if (sv->ready_fd >= 0)
		(void)os_watch(sv->ready_fd, OS_READ,
		    TAG(TAG_READY, sv->slot));
	if (r->state == ST_STARTING && sv->conf->ready == READY_CHECK)
		service_check(sv);
	else if (r->state == ST_STARTING)
		service_presume(sv);
	/* Killed between the record and the signal. */
	if (r->state == ST_STOPPING && r->deadline_ms == 0)
		service_stop(sv);
	if (r->want == WANT_DOWN)
		service_event(sv, EV_DOWN, NULL);
}

/* Its record was lost, and somebody runs. */
static bool
is_haunted(const struct service *sv)
{
	return sv->rec.started_ms == 0 &&
	    !state_is_alive((enum state)sv->rec.state) &&
	    !spawn_lock_is_free(sv);
}

/* On record, it may have run: it is waited for, never run again. */
static void
adopt_finish(struct service *sv)
{
	const struct record *r = &sv->rec;

	sv->aux = AUX_FINISH;
	sv->aux_pid = r->pid;
	sv->aux_ms = r->deadline_ms > 0 ? r->deadline_ms : os_now_ms();
	if (!take_over(sv))
		service_aux_exited(sv, -1);
}

static void
adopt(struct service *sv)
{
	struct record *r = &sv->rec;

	if (is_haunted(sv)) {
		service_event(sv, EV_LOCKED,
		    "its lock is held by a process that is not on record");
		return;
	}
	switch ((enum state)r->state) {
	case ST_STARTING:
	case ST_UP:
	case ST_STOPPING:
		if (take_over(sv)) {
			carry_on(sv);
		} else if (r->pid > 0) {
			service_exited(sv, -1);
		} else {	/* killed between the record and the fork */
			sv->start_errno = -1;
			r->clean = 1;
			r->again = r->want != WANT_DOWN ? AGAIN_ASKED :
			    AGAIN_NO;
			service_event(sv, EV_EXITED, NULL);
		}
		break;
	case ST_FINISHING:
		(r->rung == RUNG_FINISH ? adopt_finish : service_clear)(sv);
		break;
	case ST_UNKNOWN:
		r->deadline_ms = os_now_ms();
		break;
	case ST_DOWN:
	case ST_WAITING:
		service_event(sv, r->want != WANT_DOWN ? EV_UP : EV_DOWN,
		    strcmp(r->reason, "shutdown") == 0 ? "" : NULL);
		break;
	case ST_BACKOFF:	/* the deadline stands in the record */
	case ST_TRIPPED:
		if (r->want == WANT_DOWN)
			service_event(sv, EV_DOWN, NULL);
		break;
	case ST_COUNT:
	default:
		break;
	}
}

void
tree_adopt(struct tree *t)
{
	struct service *logger;
	int i;

	for (i = 0; i < t->n; i++) {
		struct service *sv = t->sv[i];

		logger_settle(sv);
		(void)spawn_make_dir(sv);
		if (sv->removed)
			sv->rec.want = WANT_DOWN;
		if (sv->rec.seq == 0)
			(void)service_save(sv);
		hook_look(sv);	/* it may have fallen ill under the last one */
	}
	/* Those that run first: nobody who waits sees them as down. */
	for (i = 0; i < t->n; i++)
		if (state_is_alive(t->sv[i]->rec.state))
			adopt(t->sv[i]);
	/* The logger before all others: they have much to say. */
	logger = tree_find(t, "svlog");
	if (logger != NULL && !state_is_alive(logger->rec.state))
		adopt(logger);
	for (i = 0; i < t->n; i++)
		if (t->sv[i] != logger && !state_is_alive(t->sv[i]->rec.state))
			adopt(t->sv[i]);
	t->needs_changed = true;
}
