/* SPDX-License-Identifier: ISC */
/*
 * The preflight of a new program and the exec of it. Which descriptors are
 * let through is upgrade_fds.c's.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"
#include "upgrade.h"
#include "upgrade_fds.h"

#define PREFLIGHT_MS	10000
#define QUIET_MS	10000	/* until no start and no script is under way */
#define QUIET_LOOK_MS	20

static struct {
	pid_t	 pid;		/* of the preflight, 0 none */
	int	 out;		/* what it says, while pid is not 0 */
	int64_t	 deadline_ms;
	bool	 passed;	/* exec as soon as all is quiet */
	char	 own[PATH_MAX];	/* this program */
	char	 program[PATH_MAX];
} up;

static bool
find_in_path(const char *name, char *dst)
{
	const char *dir = getenv("PATH"), *end;
	char path[PATH_MAX];

	for (; dir != NULL && *dir != '\0'; dir = end + (*end == ':')) {
		end = dir + strcspn(dir, ":");
		if (snprintf(path, sizeof path, "%.*s/%s", (int)(end - dir),
		    dir, name) < (int)sizeof path &&
		    access(path, X_OK) == 0 && realpath(path, dst) != NULL)
			return true;
	}
	return false;
}

void
upgrade_open(const char *argv0)
{
	/* By name, not by what runs: a package puts the new one there. */
	if (strchr(argv0, '/') != NULL ? realpath(argv0, up.own) == NULL :
	    !find_in_path(argv0, up.own))
		up.own[0] = '\0';
}

/* Runs the program, or ends in 126 with the reason on standard error. */
static void
run_program(const struct tree *t, const char *mode)
{
	char *arg[12] = { up.program, (char *)mode,
	    (char *)"--run", (char *)t->run,
	    (char *)"--state", (char *)t->state,
	    (char *)"--log", (char *)t->log };
	int n = 8;

	if (t->group[0] != '\0') {
		arg[n++] = (char *)"--group";
		arg[n++] = (char *)t->group;
	}
	arg[n] = (char *)t->services;

	(void)execv(up.program, arg);
}

static void
preflight_child(const struct tree *t, int out)
{
	(void)setsid();
	os_reset_signals();
	(void)dup2(out, 1);
	(void)dup2(out, 2);
	run_program(t, UPGRADE_PREFLIGHT);
	dprintf(2, "run it: %s\n", strerror(errno));
	_exit(126);
}

int
upgrade_begin(struct tree *t, const char *program, char *err)
{
	int out[2];
	pid_t pid;

	if (program == NULL)
		program = up.own;
	if (t->stopping || up.pid > 0 || up.passed) {
		(void)snprintf(err, CONF_ERR_LEN, "%s is under way",
		    t->stopping ? "a shutdown" : "an upgrade");
		return -1;
	}
	if (program[0] != '/' || realpath(program, up.program) == NULL ||
	    access(up.program, X_OK) < 0) {
		(void)snprintf(err, CONF_ERR_LEN, "%.200s is no program; give "
		    "the absolute path of one", program[0] != '\0' ? program :
		    "what this supervisor was started from");
		return -1;
	}
	if (os_pipe(out) < 0 || os_nonblock(out[0]) < 0 ||
	    (pid = fork()) < 0) {
		(void)snprintf(err, CONF_ERR_LEN, "start the preflight: %s",
		    strerror(errno));
		return -1;
	}
	if (pid == 0)
		preflight_child(t, out[1]);
	(void)close(out[1]);
	up.pid = pid;
	up.out = out[0];
	up.deadline_ms = os_now_ms() + PREFLIGHT_MS;
	t->preflight_pid = pid;
	return 0;
}

static void
refuse(struct tree *t, const char *why)
{
	char text[400];

	(void)snprintf(text, sizeof text, "refused: %.100s: %.250s",
	    up.program, why);
	up.passed = false;
	up.deadline_ms = 0;
	event_tree(t, "upgrade", text);
}

/* The last line that the preflight said. */
static void
read_words(char *dst, size_t cap)
{
	char text[4096], *line;
	ssize_t n = 0, got;

	while (n < (ssize_t)sizeof text - 1 && (got = read(up.out, text + n,
	    sizeof text - 1 - (size_t)n)) > 0)
		n += got;
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	line = strrchr(text, '\n');
	(void)snprintf(dst, cap, "%.250s", line != NULL ? line + 1 : text);
	(void)close(up.out);
}

void
upgrade_exited(struct tree *t, int status)
{
	char words[256], how[64], why[352];

	(void)kill(-up.pid, SIGKILL);	/* what it may have left behind */
	up.pid = t->preflight_pid = 0;
	read_words(words, sizeof words);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		up.passed = true;
		up.deadline_ms = os_now_ms() + QUIET_MS;
		return;
	}
	if (words[0] == '\0')
		(void)snprintf(words, sizeof words, "it said nothing");
	(void)snprintf(why, sizeof why, "its preflight %s: %s",
	    service_exit_words(status, how, sizeof how), words);
	refuse(t, why);
}

/* A start that is not recorded to its end, or a script beside the states,
 * would be lost by the exec. */
static const struct service *
find_unquiet(const struct tree *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		if (t->sv[i]->gate_fd >= 0 || t->sv[i]->aux_pid > 0 ||
		    t->sv[i]->script_pid > 0)
			return t->sv[i];
	return NULL;
}

static void
become(struct tree *t)
{
	char why[128];

	if (upgrade_fds_write(t) < 0) {
		(void)snprintf(why, sizeof why, "write %.60s/handover: %s",
		    t->run, strerror(errno));
		refuse(t, why);
		return;
	}
	event_tree(t, "upgrade", "becoming the new program");
	run_program(t, UPGRADE_RESUME);
	(void)snprintf(why, sizeof why, "run it: %s", strerror(errno));
	upgrade_fds_forget(t);
	refuse(t, why);
}

void
upgrade_step(struct tree *t, int64_t now)
{
	const struct service *sv;
	char why[CONF_NAME_MAX + 40];

	if (up.pid > 0 && now >= up.deadline_ms) {
		(void)kill(-up.pid, SIGKILL);
		up.deadline_ms = now + PREFLIGHT_MS;
	}
	if (!up.passed)
		return;
	sv = find_unquiet(t);
	if (t->stopping) {
		refuse(t, "a shutdown came first");
	} else if (sv == NULL) {
		become(t);
	} else if (now >= up.deadline_ms) {
		(void)snprintf(why, sizeof why, "%s is in the middle of a "
		    "start or a script", sv->conf->name);
		refuse(t, why);
	}
}

int64_t
upgrade_deadline(const struct tree *t)
{
	(void)t;
	if (up.passed)
		return os_now_ms() + QUIET_LOOK_MS;
	return up.pid > 0 ? up.deadline_ms : -1;
}
