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
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"
#include "spawn_child.h"

#define GRACE_MAX_MS	5000	/* for the leader alone */
#define KILL_AGAIN_MS	5000
#define SUCCESSOR_MS	1000
#define CRASH_GRACE_MS	250	/* for what a crashed leader left behind */
#define STOP_GRACE_MS	2000	/* for what a stopped leader left behind */
#define LOOK_MAX_MS	200

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
	if (os_proc_start(r->pid, &start) == 0)
		return start != r->start;
	/* Zombies that nobody reaps are nobody; this look is a slow one. */
	return os_group_member(r->pid, 0) == 0;
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
service_kill(struct service *sv)
{
	service_kill_aux(sv);
	if (service_signal(sv, SIGKILL) == 0)
		signal_group(sv, SIGKILL);
}

static int64_t
grace_ms(const struct service *sv)
{
	int64_t half = sv->conf->stop_timeout_ms / 2;

	return half < GRACE_MAX_MS ? half : GRACE_MAX_MS;
}

/* The first signal, unless a script has seen to it. */
static void
ask_leader(struct service *sv, bool seen_to)
{
	struct record *r = &sv->rec;
	char path[1200];

	r->rung = RUNG_SIGNAL;
	r->deadline_ms = os_now_ms() + (seen_to ?
	    sv->conf->stop_timeout_ms : grace_ms(sv));
	(void)service_save(sv);	/* before the signal: a successor goes on */
	if (!seen_to)
		(void)service_signal(sv, sv->conf->stop_signal);
	/* A stopped process never sees the signal. */
	(void)service_signal(sv, SIGCONT);
	if (r->paused) {
		r->paused = 0;
		(void)service_save(sv);
	}
	if ((r->want == WANT_DOWN || sv->tree->stopping) &&
	    service_script(sv, 'd', path, sizeof path))
		(void)spawn_aux(sv, AUX_CONTROL_D, sv->conf->stop_timeout_ms);
}

/* The next of what comes before the signal, in this order: stop-command,
 * control/t. Each has stop-timeout. */
static void
stop_softly(struct service *sv, enum aux before)
{
	int64_t limit = sv->conf->stop_timeout_ms;
	struct record *r = &sv->rec;
	char path[1200];
	enum aux next = AUX_NONE;

	if (before == AUX_NONE && conf_rare(sv->conf)->stop_command.n > 0)
		next = AUX_STOP;
	else if (before != AUX_CONTROL_T &&
	    service_script(sv, 't', path, sizeof path))
		next = AUX_CONTROL_T;
	if (next != AUX_NONE) {
		r->rung = RUNG_COMMAND;
		/* For a successor; ours is the deadline of the script. */
		r->deadline_ms = os_now_ms() + limit + SUCCESSOR_MS;
		(void)service_save(sv);
		if (spawn_aux(sv, next, limit) == 0)
			return;
	}
	ask_leader(sv, false);
}

void
service_stop(struct service *sv)
{
	service_kill_aux(sv);	/* a check that is under way */
	if (logger_end(sv))
		ask_leader(sv, true);
	else
		stop_softly(sv, AUX_NONE);
}

void
service_escalate(struct service *sv)
{
	struct record *r = &sv->rec;

	if (r->rung == RUNG_COMMAND) {
		ask_leader(sv, false);
		return;
	}
	if (r->rung == RUNG_SIGNAL) {
		r->rung = RUNG_TERM;
		r->deadline_ms = os_now_ms() + sv->conf->stop_timeout_ms -
		    grace_ms(sv);
		(void)service_save(sv);
		signal_group(sv, SIGTERM);
		return;
	}
	event_tell(sv, "stop", r->rung == RUNG_TERM ?
	    "did not stop in time: SIGKILL" : "survives SIGKILL");
	r->rung = RUNG_KILL;
	r->deadline_ms = os_now_ms() + KILL_AGAIN_MS;
	(void)service_save(sv);
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
	(void)spawn_let_be(sv);
	if (sv->conf->has_finish && sv->rec.started_ms != 0 &&
	    sv->start_errno == 0 &&
	    spawn_aux(sv, AUX_FINISH, sv->conf->stop_timeout_ms) == 0)
		return;
	service_event(sv, EV_CLEARED, NULL);
}

/* Those that are waited for; their own deadline kills them. */
static bool
runs_script(struct service *sv)
{
	if (sv->aux_pid <= 0 || sv->aux == AUX_CHECK)
		return false;
	sv->rec.deadline_ms = sv->aux_ms + SUCCESSOR_MS;
	return true;
}

/* The script and what is left of its group, but no stranger that has got the
 * number of an adopted one. */
void
service_kill_aux(const struct service *sv)
{
	uint64_t start;

	if (sv->aux_pid > 0 && (sv->aux != AUX_FINISH ||
	    os_proc_start(sv->aux_pid, &start) < 0 ||
	    start == sv->rec.start))
		(void)kill(-sv->aux_pid, SIGKILL);
}

void
service_clear(struct service *sv)
{
	bool ordered = sv->rec.rung > RUNG_NONE;

	if (runs_script(sv))	/* it may have things to clean up */
		return;
	service_kill_aux(sv);	/* a check that is under way */
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

	if (runs_script(sv))
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

/* A script of the stop is over. */
static void
went_on(struct service *sv, enum aux was, int status)
{
	bool good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
	char text[80];

	if (was == AUX_STOP && WIFEXITED(status) && !good) {
		(void)snprintf(text, sizeof text, "stop-command ended with "
		    "code %d", WEXITSTATUS(status));
		event_tell(sv, "stop", text);
	} else if (was == AUX_STOP && !good) {
		event_tell(sv, "stop", "stop-command took too long");
	}
	if (sv->rec.state == ST_FINISHING) {
		service_clear(sv);
		(void)service_save(sv);
	} else if (sv->rec.state == ST_STOPPING &&
	    sv->rec.rung == RUNG_COMMAND) {
		if (was == AUX_CONTROL_T)
			ask_leader(sv, good);
		else
			stop_softly(sv, was);
	}
}

/* What finish said; of an adopted one the status may not be known. */
static bool
finish_holds(const struct service *sv, int status)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];

	if (status != -1)
		return WIFEXITED(status) && WEXITSTATUS(status) == FINISH_HOLD;
	service_path(sv, HOLD_FILE, path, sizeof path);
	return access(path, F_OK) == 0;
}

void
service_aux_exited(struct service *sv, int status)
{
	enum aux was = sv->aux;

	service_kill_aux(sv);
	sv->aux_pid = 0;
	sv->aux = AUX_NONE;
	sv->aux_ms = 0;
	if (was == AUX_FINISH) {
		os_unwatch_proc(sv->watch);	/* of an adopted one */
		sv->watch = -1;
		sv->rec.hold = finish_holds(sv, status);
		service_event(sv, EV_CLEARED, NULL);
	} else if (was != AUX_CHECK) {
		went_on(sv, was, status);
	} else if (sv->rec.state == ST_STARTING) {
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			service_ready(sv, "check succeeded");
		} else {
			sv->aux = AUX_CHECK;
			sv->aux_ms = os_now_ms() + 250;
		}
	}
}
