/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's side of a start: fork, record, open the gate. A process
 * is on record before it can run its program, whatever is killed when.
 */
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"
#include "spawn_child.h"

/* run/NAME with its FIFO; made anew when somebody cleaned it away, and opened
 * anew when it is the wrong one. */
int
spawn_make_dir(struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd;

	service_path(sv, "", path, sizeof path);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	service_fifo(sv, path, sizeof path);
	if (mkfifo(path, 0600) < 0 && sv->log_fd >= 0 && !sv->log_ended &&
	    sv->log_is_pipe == sv->conf->has_logger)
		return 0;
	/* Read-write: neither the death of the logger nor that of the last
	 * writer takes what lies in it. */
	if ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
		return -1;
	if (sv->log_fd >= 0)	/* maybe the same, held for reading */
		(void)close(sv->log_fd);
	sv->log_fd = fd;
	sv->log_ended = false;
	sv->log_is_pipe = sv->conf->has_logger;
	return 0;
}

static int
start_failed(struct service *sv, const char *what)
{
	service_set_reason(sv, "cannot start: %s: %s", what, strerror(errno));
	log_warn("%s: start: %s", sv->conf->name, what);
	sv->rec.pid = 0;
	sv->rec.clean = 0;
	service_ready_close(sv);
	return -1;
}

/* Writes who it is before it may run. */
static int
record_start(struct service *sv, pid_t pid, int64_t before)
{
	struct record *r = &sv->rec;

	r->pid = (int32_t)pid;
	if (os_child_start(pid, before, &r->start) < 0)
		r->start = 0;
	r->adopted = 0;
	r->rung = RUNG_NONE;
	r->paused = 0;
	r->hold = 0;
	r->started_ms = os_now_ms();
	r->ready_ms = 0;
	r->health = HEALTH_UNKNOWN;
	r->health_text[0] = r->text[0] = '\0';
	return service_save(sv);
}

static pid_t
fork_gated(struct service *sv, int gate[2])
{
	int ready[2] = { -1, -1 };
	pid_t pid;

	if (sv->conf->ready == READY_FD && os_pipe(ready) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		(void)close(gate[0]);
		spawn_child(sv, gate[1], ready[1]);
	}
	if (ready[1] >= 0)
		(void)close(ready[1]);
	sv->ready_fd = ready[0];
	return pid;
}

int
spawn_service(struct service *sv)
{
	char what[160];
	int64_t before;
	int gate[2];
	pid_t pid;

	sv->start_errno = 0;
	sv->lost_lock = false;
	sv->ends_by_oom = false;
	sv->script_queued = 0;	/* they were for another process */
	sv->presume = false;
	if (spawn_make_dir(sv) < 0)
		return start_failed(sv, "make its run directory");
	logger_begin(sv);
	if (service_sockets_open(sv, what, sizeof what) < 0)
		return start_failed(sv, what);
	service_ready_open(sv);
	if (os_socketpair(gate) < 0)
		return start_failed(sv, "make the gate");
	before = os_start_clock();
	pid = fork_gated(sv, gate);
	(void)close(gate[1]);
	if (pid < 0) {
		(void)close(gate[0]);
		return start_failed(sv, "fork");
	}
	sv->is_child = true;
	sv->stale = false;
	if (record_start(sv, pid, before) < 0) {
		/* The gate closes on it: it ends without having run. */
		(void)close(gate[0]);
		return start_failed(sv, "record the start");
	}
	sv->gate_fd = gate[0];
	(void)!write(gate[0], "", 1);
	(void)os_watch(gate[0], OS_READ, TAG(TAG_GATE, sv->slot));
	if (sv->ready_fd >= 0) {
		(void)os_nonblock(sv->ready_fd);
		(void)os_watch(sv->ready_fd, OS_READ,
		    TAG(TAG_READY, sv->slot));
	}
	return 0;
}

bool
spawn_gate(struct service *sv)
{
	struct gate_word w;
	ssize_t n;

	if (sv->gate_fd < 0)
		return sv->start_errno == 0;
	n = recv(sv->gate_fd, &w, sizeof w, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	os_drop(&sv->gate_fd);
	if (n != (ssize_t)sizeof w)
		return true;
	w.step[sizeof w.step - 1] = '\0';
	sv->start_errno = w.error != 0 ? w.error : -1;
	sv->lost_lock = strncmp(w.step, GATE_STEP_LOCK,
	    strlen(GATE_STEP_LOCK)) == 0;
	if (sv->rec.state != ST_STOPPING)	/* that has its own reason */
		service_set_reason(sv, "cannot %s%s%s", w.step,
		    w.error > 0 ? ": " : "",
		    w.error > 0 ? strerror(w.error) : "");
	return false;
}

pid_t
spawn_script(const struct service *sv, char *const arg[])
{
	pid_t pid = fork();

	if (pid == 0)
		spawn_child_aux(sv, arg, -1, -1);
	return pid;
}

/* On record before it may run, in the place of the leader that is gone: a
 * successor waits for it and does not run it again. */
static pid_t
spawn_finish(struct service *sv, char *const arg[], int64_t limit)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int64_t before = os_start_clock();
	struct record *r = &sv->rec;
	int gate[2];
	pid_t pid;

	service_path(sv, HOLD_FILE, path, sizeof path);
	(void)unlink(path);
	if (os_pipe(gate) < 0)
		return -1;
	if ((pid = fork()) == 0) {
		(void)close(gate[1]);
		spawn_child_aux(sv, arg, -1, gate[0]);
	}
	(void)close(gate[0]);
	if (pid > 0) {
		r->pid = (int32_t)pid;
		if (os_child_start(pid, before, &r->start) < 0)
			r->start = 0;
		r->rung = RUNG_FINISH;
		r->deadline_ms = os_now_ms() + limit;
		if (service_save(sv) == 0)
			(void)!write(gate[1], "", 1);
	}
	(void)close(gate[1]);
	return pid;
}

static const char *const files[] = {
	[AUX_CHECK] = "check", [AUX_FINISH] = "finish",
	[AUX_CONTROL_T] = "control/t", [AUX_CONTROL_D] = "control/d",
};

int
spawn_aux(struct service *sv, enum aux aux, int64_t deadline_ms)
{
	char script[1200], code[16], signo[16];
	char *arg[4] = { script, NULL, NULL, NULL };
	const struct record *r = &sv->rec;
	pid_t pid;

	if (aux != AUX_STOP)
		(void)snprintf(script, sizeof script, "%s/%s", sv->conf->dir,
		    files[aux]);
	if (aux == AUX_FINISH) {
		/* As runsv: exit code or -1, low byte of the status. */
		(void)snprintf(code, sizeof code, "%d",
		    r->exit_kind == EXIT_CODE ? r->exit_value : -1);
		(void)snprintf(signo, sizeof signo, "%d",
		    r->exit_kind == EXIT_SIGNAL ?
		    r->exit_value | (r->exit_core ? 0x80 : 0) : 0);
		arg[1] = code;
		arg[2] = signo;
	}
	pid = aux == AUX_FINISH ? spawn_finish(sv, arg, deadline_ms) :
	    spawn_script(sv, aux != AUX_STOP ? arg :
	    conf_rare(sv->conf)->stop_command.v);
	if (pid < 0)
		return -1;
	sv->aux = aux;
	sv->aux_pid = pid;
	sv->aux_ms = os_now_ms() + deadline_ms;
	return 0;
}
