/* SPDX-License-Identifier: ISC */
/*
 * The tree in time: which deadline comes next, what an event of the system
 * means for whom, what is due, and the order of a shutdown.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "control.h"
#include "log.h"
#include "os.h"
#include "policy.h"
#include "service.h"
#include "upgrade.h"

#define SHUTDOWN_MS	60000	/* beyond the longest stop-timeout */

int64_t
tree_deadline(const struct tree *t)
{
	int64_t first;
	int i;

	if (t->needs_changed)
		return 0;
	first = policy_sooner(upgrade_deadline(t), hook_deadline(t));
	if (t->mend_ms != 0)
		first = policy_sooner(first, t->mend_ms);
	if (t->stopping)
		first = policy_sooner(first, t->stop_ms);
	for (i = 0; i < t->n; i++)
		first = policy_sooner(first, service_deadline(t->sv[i]));
	return first;
}

/* Every child is reaped, those included that dead services left to us. */
static void
reap(struct tree *t)
{
	struct service *sv;
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		sv = tree_find_child(t, pid);
		if (pid == t->preflight_pid)
			upgrade_exited(t, status);
		else if (hook_exited(t, pid, status) || sv == NULL)
			continue;
		else if (sv->script_pid == pid)
			service_script_exited(sv, status);
		else if (sv->aux_pid == pid)
			service_aux_exited(sv, status);
		else if (sv->is_child)
			service_exited(sv, status);
	}
	for (i = 0; i < t->n; i++)	/* maybe the last straggler */
		if (t->sv[i]->rec.state == ST_FINISHING &&
		    t->sv[i]->kill_ms != 0)
			service_look(t->sv[i]);
}

static void
take_signal(struct tree *t, int signo)
{
	switch (signo) {
	case SIGCHLD:
		reap(t);
		break;
	case SIGHUP:
		if (tree_load(t, NULL, NULL, NULL) < 0)
			log_warnx("reload refused: nothing has changed");
		break;
	case SIGUSR1:
		tree_mend(t);
		break;
	case SIGTERM:
	case SIGINT:
		tree_shutdown(t);
		break;
	default:
		break;
	}
}

static void
take_gate(struct service *sv)
{
	if (spawn_gate(sv) && sv->rec.state == ST_STARTING) {
		if (sv->conf->ready == READY_NONE)
			service_ready(sv, "");
		else if (sv->conf->ready == READY_CHECK)
			service_check(sv);
	}
}

void
tree_dispatch(struct tree *t, const struct os_event *ev)
{
	int n = TAG_NUMBER(ev->tag);
	struct service *sv = n < t->table.slots ? t->slot[n] : NULL;

	if (ev->what & OS_SIGNAL) {
		take_signal(t, ev->signo);
		return;
	}
	switch (TAG_KIND(ev->tag)) {
	case TAG_LISTEN:
		control_accept(t);
		return;
	case TAG_ALARM:		/* tree_step sees to what is due */
		return;
	case TAG_RUN:
		tree_mend(t);
		return;
	case TAG_CONN:
		control_ready(t, n, ev->what);
		return;
	case TAG_GATE:
		if (sv != NULL && sv->gate_fd >= 0)
			take_gate(sv);
		return;
	case TAG_NOTIFY:
		if (sv != NULL && sv->notify_fd >= 0)
			service_notified(sv);
		return;
	case TAG_READY:
		if (sv != NULL && sv->ready_fd >= 0)
			service_ready_readable(sv);
		return;
	case TAG_PROC:
		if (sv != NULL && sv->watch >= 0)
			(sv->aux == AUX_FINISH ? service_aux_exited :
			    service_exited)(sv, ev->status);
		return;
	default:
		return;
	}
}

/* All others are down. What they said last may lie in their FIFOs still: a
 * logger that waits to be started gets one more turn. */
static void
end_logger(struct tree *t, struct service *logger)
{
	enum state state = (enum state)logger->rec.state;

	if (!t->log_woken && (state == ST_BACKOFF || state == ST_TRIPPED)) {
		t->log_woken = true;
		service_event(logger, EV_UP, "what was said last");
	} else if (state != ST_WAITING && state != ST_STARTING) {
		t->log_over = true;
		service_rest(logger);
	}
}

/* A shutdown stops a service when nobody alive depends on it, or when it does
 * not live itself; the logger when everybody else is down. */
static void
stop_in_order(struct tree *t)
{
	struct service *logger = tree_find(t, "svlog");
	bool others = false;
	int i;

	needs_mark_held(t);
	for (i = 0; i < t->n; i++) {
		struct service *sv = t->sv[i];

		if (sv == logger || sv->rec.state == ST_DOWN)
			continue;
		others = true;
		if (!sv->is_held ||
		    !state_is_alive((enum state)sv->rec.state))
			service_rest(sv);
	}
	if (!others && logger != NULL && logger->rec.state != ST_DOWN)
		end_logger(t, logger);
	else if (!others)
		t->done = true;
}

/* What still runs would have nobody over it: its own deadline is long past,
 * or it is a logger that was started for the last words. */
static void
name_blockers(struct tree *t)
{
	int i;

	for (i = 0; i < t->n; i++) {
		if (t->sv[i]->rec.state == ST_DOWN)
			continue;
		log_warnx("%s: still %s at the end of the shutdown",
		    t->sv[i]->conf->name,
		    state_name((enum state)t->sv[i]->rec.state));
		service_kill(t->sv[i]);
	}
	t->done = true;
}

void
tree_shutdown(struct tree *t)
{
	int64_t longest = 0;
	int i;

	if (t->stopping)
		return;
	t->stopping = true;
	for (i = 0; i < t->n; i++)
		if (t->sv[i]->conf->stop_timeout_ms > longest)
			longest = t->sv[i]->conf->stop_timeout_ms;
	t->stop_ms = os_now_ms() + longest + SHUTDOWN_MS;
	t->needs_changed = true;
	event_tree(t, "shutdown", "stopping all services");
}

/* Those without a directory, in the order of a shutdown: a logger has to
 * write the last words of its service. */
static void
stop_removed(struct tree *t)
{
	int i;

	needs_mark_held(t);
	for (i = 0; i < t->n; i++)
		if (t->sv[i]->removed && t->sv[i]->rec.want != WANT_DOWN &&
		    !t->sv[i]->is_held)
			service_want(t->sv[i], WANT_DOWN,
			    "its directory is gone");
}

void
tree_step(struct tree *t)
{
	int64_t now = os_now_ms();
	int i;

	for (i = 0; i < t->n; i++)
		service_timer(t->sv[i], now);
	tree_timers(t);
	hook_step(t, now);
	if (t->needs_changed) {
		t->needs_changed = false;
		for (i = 0; i < t->n; i++)
			service_event(t->sv[i], EV_NEEDS, NULL);
		stop_removed(t);
		if (t->stopping)
			stop_in_order(t);
	}
	if (t->stopping && now >= t->stop_ms)
		name_blockers(t);
	tree_sweep(t);
	if (t->mend_ms != 0 && now >= t->mend_ms)
		tree_mend(t);
	upgrade_step(t, now);
}
