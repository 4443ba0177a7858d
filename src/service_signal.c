/* SPDX-License-Identifier: ISC */
/*
 * Signals that a person sends. As runsv(8) has it, an executable
 * control/LETTER of the service is run first, and when it succeeds the signal
 * is not sent. A paused service is left alone by watchdogs and probes.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "os.h"
#include "service.h"

#define SCRIPT_MS	30000

static const struct {
	int	 signo;
	char	 letter;
} letters[] = {
	{ SIGSTOP, 'p' }, { SIGCONT, 'c' }, { SIGHUP, 'h' },
	{ SIGALRM, 'a' }, { SIGINT, 'i' }, { SIGQUIT, 'q' },
	{ SIGUSR1, '1' }, { SIGUSR2, '2' }, { SIGTERM, 't' },
	{ SIGKILL, 'k' },
};

int
service_signal(struct service *sv, int signo)
{
	const struct record *r = &sv->rec;

	if (r->pid <= 1 || (r->state == ST_FINISHING && r->rung !=
	    RUNG_FINISH))	/* it is gone */
		return -1;
	if (sv->is_child)	/* not reaped: the pid is still its own */
		return kill(r->pid, signo);
	return os_kill(r->pid, r->start, sv->watch, signo);
}

bool
service_script(const struct service *sv, char letter, char *path, size_t cap)
{
	(void)snprintf(path, cap, "%s/control/%c", sv->conf->dir, letter);
	return access(path, X_OK) == 0;
}

static void
note_pause(struct service *sv, int signo)
{
	if (signo != SIGSTOP && signo != SIGCONT)
		return;
	sv->rec.paused = signo == SIGSTOP;
	if (signo == SIGSTOP)
		sv->dog_ms = 0;
	else if (sv->rec.state == ST_UP)
		service_feed_watchdog(sv);
	(void)service_save(sv);
	event_tell(sv, "verb", signo == SIGSTOP ? "pause" : "cont");
}

/* The script decides; the signal waits for it. */
static int
run_script(struct service *sv, const char *path, int signo, char *err,
    size_t cap)
{
	char *arg[] = { (char *)path, NULL };
	pid_t pid;

	if (sv->script_pid > 0) {	/* one after the other */
		if (sv->script_queued == nitems(sv->script_next)) {
			(void)snprintf(err, cap, "its control scripts are "
			    "still at work");
			return -1;
		}
		sv->script_next[sv->script_queued++] = (uint8_t)signo;
		return 0;
	}
	pid = spawn_script(sv, arg);
	if (pid < 0) {
		(void)snprintf(err, cap, "its control script cannot be run");
		return -1;
	}
	sv->script_pid = pid;
	sv->script_ms = os_now_ms() + SCRIPT_MS;
	sv->script_signo = signo;
	sv->script_for = sv->rec.pid;
	return 0;
}

static int
send_now(struct service *sv, int signo, char *err, size_t cap)
{
	char path[1200];
	size_t i;

	if (sv->rec.pid <= 1) {
		(void)snprintf(err, cap, "it is not running");
		return -1;
	}
	for (i = 0; i < nitems(letters); i++)
		if (letters[i].signo == signo &&
		    service_script(sv, letters[i].letter, path, sizeof path))
			break;
	if (i < nitems(letters)) {
		if (run_script(sv, path, signo, err, cap) < 0)
			return -1;
	} else if (service_signal(sv, signo) < 0) {
		(void)snprintf(err, cap, "it is not running");
		return -1;
	}
	return 0;
}

int
service_send(struct service *sv, int signo, char *err, size_t cap)
{
	if (send_now(sv, signo, err, cap) < 0)
		return -1;
	note_pause(sv, signo);
	return 0;
}

void
service_script_exited(struct service *sv, int status)
{
	char err[80];
	int signo;

	(void)kill(-sv->script_pid, SIGKILL);
	sv->script_pid = 0;
	sv->script_ms = 0;
	/* Not to another process that has started meanwhile. */
	if ((!WIFEXITED(status) || WEXITSTATUS(status) != 0) &&
	    sv->rec.pid == sv->script_for)
		(void)service_signal(sv, sv->script_signo);
	if (sv->script_queued == 0)
		return;
	signo = sv->script_next[0];
	memmove(sv->script_next, sv->script_next + 1, --sv->script_queued);
	(void)send_now(sv, signo, err, sizeof err);
}

void
service_script_timer(struct service *sv, int64_t now)
{
	if (sv->script_ms == 0 || sv->script_ms > now)
		return;
	(void)kill(-sv->script_pid, SIGKILL);
	sv->script_ms = now + SCRIPT_MS;
}
