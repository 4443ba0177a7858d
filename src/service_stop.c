/* SPDX-License-Identifier: ISC */
/*
 * The way down: stop-signal to the leader, TERM and then KILL to the group,
 * and, once the leader is gone, the group cleared and finish run. Down means
 * that the group is empty.
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "log.h"
#include "os.h"
#include "service.h"

#define GRACE_MAX_MS	5000	/* for the leader alone */
#define KILL_AGAIN_MS	5000
#define CRASH_GRACE_MS	250	/* for what a crashed leader left behind */
#define STOP_GRACE_MS	2000	/* for what a stopped leader left behind */
#define LOOK_MAX_MS	200

int
service_signal(struct service *sv, int signo)
{
	const struct record *r = &sv->rec;

	if (r->pid <= 1)
		return -1;
	if (sv->is_child)	/* not reaped: the pid is still its own */
		return kill(r->pid, signo);
	return os_kill(r->pid, r->start, sv->watch, signo);
}

static bool
group_is_empty(const struct service *sv)
{
	const struct record *r = &sv->rec;
	uint64_t start;

	if (r->pid <= 1 || sv->conf->kill == KILL_LEADER)
		return true;
	/* EPERM: zombies of a group on macOS. */
	if (kill(-r->pid, 0) < 0 && errno != EACCES)
		return true;
	/* Nobody was left, and a stranger has the number by now. */
	return os_proc_start(r->pid, &start) == 0 && start != r->start;
}

static void
signal_group(struct service *sv, int signo)
{
	if (group_is_empty(sv))
		return;
	(void)kill(-sv->rec.pid, signo);
	(void)kill(-sv->rec.pid, SIGCONT);
}

void
service_stop(struct service *sv)
{
	struct record *r = &sv->rec;
	int64_t limit = sv->conf->stop_timeout_ms;
	int64_t grace = limit / 2 < GRACE_MAX_MS ? limit / 2 : GRACE_MAX_MS;

	r->rung = 1;
	r->deadline_ms = os_now_ms() + grace;
	(void)service_save(sv);	/* before the signal: a successor goes on */
	(void)service_signal(sv, sv->conf->stop_signal);
	/* A stopped process never sees the signal. */
	(void)service_signal(sv, SIGCONT);
}

void
service_escalate(struct service *sv)
{
	struct record *r = &sv->rec;
	int64_t limit = sv->conf->stop_timeout_ms;
	int64_t grace = limit / 2 < GRACE_MAX_MS ? limit / 2 : GRACE_MAX_MS;

	if (r->rung < 250)
		r->rung++;
	if (r->rung == 2) {
		r->deadline_ms = os_now_ms() + limit - grace;
		(void)service_save(sv);
		signal_group(sv, SIGTERM);
		return;
	}
	r->deadline_ms = os_now_ms() + KILL_AGAIN_MS;
	(void)service_save(sv);
	event_tell(sv, "stop", r->rung == 3 ?
	    "did not stop in time: SIGKILL" : "survives SIGKILL");
	(void)service_signal(sv, SIGKILL);
	signal_group(sv, SIGKILL);
}

static void
name_straggler(struct service *sv)
{
	char name[32], text[120];
	pid_t pid;

	pid = os_group_member(sv->rec.pid, 0);
	if (pid <= 0 || os_proc_name(pid, name, sizeof name, NULL) < 0)
		return;
	(void)snprintf(text, sizeof text,
	    "left behind in its group: %s (pid %d); clearing the group",
	    name, (int)pid);
	event_tell(sv, "straggler", text);
}

static void
finish(struct service *sv)
{
	sv->kill_ms = 0;
	sv->rec.deadline_ms = 0;
	if (sv->conf->has_finish && sv->rec.started_ms != 0 &&
	    sv->start_errno == 0 &&
	    spawn_aux(sv, AUX_FINISH, sv->conf->stop_timeout_ms) == 0)
		return;
	service_event(sv, EV_CLEARED, NULL);
}

void
service_clear(struct service *sv)
{
	bool ordered = sv->rec.rung > 0;

	if (sv->aux_pid > 0)	/* a check that is under way */
		(void)kill(-sv->aux_pid, SIGKILL);
	if (group_is_empty(sv)) {
		finish(sv);
		return;
	}
	name_straggler(sv);
	sv->patience_ms = 2;
	sv->kill_ms = os_now_ms() + (ordered ? STOP_GRACE_MS : CRASH_GRACE_MS);
	sv->rec.deadline_ms = os_now_ms() + sv->patience_ms;
	signal_group(sv, SIGTERM);
}

void
service_look(struct service *sv)
{
	int64_t now = os_now_ms();

	if (sv->aux == AUX_FINISH && sv->aux_pid > 0)
		return;
	if (group_is_empty(sv)) {
		finish(sv);
		return;
	}
	if (sv->kill_ms == 0)	/* adopted in the middle of it */
		sv->kill_ms = now;
	if (now >= sv->kill_ms)
		signal_group(sv, SIGKILL);
	sv->patience_ms = sv->patience_ms <= 0 ? 2 : sv->patience_ms * 2;
	if (sv->patience_ms > LOOK_MAX_MS)
		sv->patience_ms = LOOK_MAX_MS;
	sv->rec.deadline_ms = now + sv->patience_ms;
	if (sv->rec.deadline_ms > sv->kill_ms && now < sv->kill_ms)
		sv->rec.deadline_ms = sv->kill_ms;
}

void
service_aux_exited(struct service *sv, int status)
{
	enum aux was = sv->aux;
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	(void)kill(-sv->aux_pid, SIGKILL);
	sv->aux_pid = 0;
	sv->aux = AUX_NONE;
	sv->aux_ms = 0;
	if (was == AUX_FINISH) {
		/* s6's word for "do not start it again" */
		sv->rec.hold = WIFEXITED(status) && WEXITSTATUS(status) == 125;
		service_event(sv, EV_CLEARED, NULL);
	} else if (was == AUX_CHECK && sv->rec.state == ST_STARTING) {
		if (good) {
			service_ready(sv, "check succeeded");
		} else {
			sv->aux = AUX_CHECK;
			sv->aux_ms = os_now_ms() + 250;
		}
	}
}
