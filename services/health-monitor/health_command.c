/* SPDX-License-Identifier: ISC */
/*
 * The probe of type exec: a command of the operator's, begun here and looked
 * at until it is over or its deadline has come. It runs as the user of the
 * service, in a process group of its own, and is killed with all of it when
 * it takes too long. What all probes without HTTP share is here too.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "health.h"
#include "log.h"
#include "os.h"

#define DIE_MS		1000	/* from SIGKILL to the end */

static struct probe *
probe_of(struct target *t)
{
	return &t->round.probe[LAYER_LIVE];
}

void
try_over(struct target *t, enum outcome out, const char *detail)
{
	struct probe *p = probe_of(t);

	p->out = out;
	p->elapsed_ms = (int)(os_now_ms() - t->begun_ms);
	(void)snprintf(p->detail, sizeof p->detail, "%s", detail);
	t->pending = 0;
	if (t->try.fd >= 0)
		(void)close(t->try.fd);
	t->try = (struct try){ .fd = -1 };
}

/* Killed and not reaped yet: what hangs in the kernel is not waited for. */
static pid_t dying[64];

static void
reap(void)
{
	size_t i;

	for (i = 0; i < nitems(dying); i++)
		if (dying[i] > 0 && waitpid(dying[i], NULL, WNOHANG) != 0)
			dying[i] = 0;
}

static void
bury(pid_t pid)
{
	size_t i;

	for (i = 0; i < nitems(dying); i++)
		if (dying[i] == 0) {
			dying[i] = pid;
			break;
		}
	reap();
}

static void
become(const struct conf_service *sv)
{
	char err[CONF_ERR_LEN];
	struct conf_user u;

	if (geteuid() != 0 || sv->user == NULL)
		return;
	if (conf_user(sv, &u, err) < 0 || (u.uid > 0 &&
	    (initgroups(u.name, (gid_t)u.gid) < 0 ||
	    setgid((gid_t)u.gid) < 0 || setuid((uid_t)u.uid) < 0))) {
		(void)fprintf(stderr, "cannot become %s\n", sv->user);
		_exit(111);
	}
	(void)setenv("HOME", u.home, 1);
	(void)setenv("USER", u.name, 1);
}

static void
child(const struct target *t, int out)
{
	const struct conf_list *command = &t->conf->health->command;
	int null;

	(void)setpgid(0, 0);
	os_reset_signals();
	if ((null = open("/dev/null", O_RDONLY)) >= 0)
		(void)dup2(null, 0);
	(void)dup2(out, 1);
	(void)dup2(out, 2);
	os_close_from(3);
	(void)setenv("SVTREE_SERVICE", t->conf->name, 1);
	if (chdir(t->conf->dir) < 0)
		(void)!chdir("/");
	become(t->conf);
	(void)execvp(command->v[0], command->v);
	(void)fprintf(stderr, "%s: %s\n", command->v[0], strerror(errno));
	_exit(127);
}

void
try_command(struct target *t, int64_t now_ms)
{
	const char *name = t->conf->health->command.v[0];
	const char *slash = strrchr(name, '/');
	struct try *try = &t->try;
	int fd[2];

	t->pending = 1;
	t->evidence[0] = '\0';
	(void)snprintf(probe_of(t)->what, sizeof probe_of(t)->what,
	    "the command %.40s", slash != NULL ? slash + 1 : name);
	if (os_pipe(fd) < 0) {
		try_over(t, OUT_NONE, "");
		return;
	}
	*try = (struct try){ .fd = fd[0],
	    .deadline_ms = now_ms + t->rules.timeout_ms };
	(void)os_nonblock(fd[0]);
	if ((try->pid = fork()) == 0)
		child(t, fd[1]);
	(void)close(fd[1]);
	if (try->pid < 0) {
		log_warn("%s: run its command", t->conf->name);
		try_over(t, OUT_NONE, "");
		return;
	}
	(void)setpgid(try->pid, try->pid);
}

/* Keeps the end of what it prints. */
static void
drain(struct try *try)
{
	char chunk[512];
	ssize_t n;
	size_t keep;

	while ((n = read(try->fd, chunk, sizeof chunk)) > 0) {
		keep = (size_t)n < sizeof try->out ? (size_t)n :
		    sizeof try->out;
		if (try->len + keep > sizeof try->out) {
			size_t drop = try->len + keep - sizeof try->out;

			memmove(try->out, try->out + drop, try->len - drop);
			try->len -= drop;
		}
		memcpy(try->out + try->len, chunk + n - keep, keep);
		try->len += keep;
	}
}

/* The last line that is not empty; the whole is evidence. */
static void
put_last_line(const struct try *try, char *dst, size_t cap)
{
	size_t end = try->len, begin;

	while (end > 0 && (unsigned char)try->out[end - 1] <= ' ')
		end--;
	for (begin = end; begin > 0 && try->out[begin - 1] != '\n';)
		begin--;
	(void)snprintf(dst, cap, "%.*s", (int)(end - begin),
	    try->out + begin);
}

static void
exited(struct target *t, int status)
{
	char line[80], detail[96];

	drain(&t->try);
	put_last_line(&t->try, line, sizeof line);
	(void)kill(-t->try.pid, SIGKILL);	/* what it left behind */
	if (t->try.killed) {
		try_over(t, OUT_SILENT, "");
	} else if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		try_over(t, OUT_OK, line);
	} else {
		if (WIFEXITED(status))
			(void)snprintf(detail, sizeof detail,
			    "exit code %d%s%.60s", WEXITSTATUS(status),
			    line[0] != '\0' ? ", " : "", line);
		else
			(void)snprintf(detail, sizeof detail, "killed by %s",
			    conf_signal_name(WTERMSIG(status)));
		evidence_keep(t, t->try.out, t->try.len);
		try_over(t, OUT_WRONG, detail);
	}
}

static void
look_command(struct target *t, int64_t now_ms)
{
	struct try *try = &t->try;
	int status;
	pid_t pid;

	drain(try);
	pid = waitpid(try->pid, &status, WNOHANG);
	if (pid == try->pid) {
		exited(t, status);
	} else if (pid < 0 && errno == ECHILD) {
		try_over(t, OUT_NONE, "");
	} else if (now_ms >= try->deadline_ms && !try->killed) {
		(void)kill(-try->pid, SIGKILL);
		try->killed = true;
		try->deadline_ms = now_ms + DIE_MS;
	} else if (now_ms >= try->deadline_ms) {
		bury(try->pid);
		try_over(t, OUT_SILENT, "");
	}
}

void
try_look(struct target *t, int64_t now_ms)
{
	reap();
	if (t->try.pid > 0)
		look_command(t, now_ms);
	else if (t->try.fd >= 0)
		try_look_connect(t, now_ms);
}

void
try_cancel(struct target *t)
{
	if (t->try.pid > 0) {
		(void)kill(-t->try.pid, SIGKILL);
		(void)kill(t->try.pid, SIGKILL);
		bury(t->try.pid);
	}
	if (t->try.fd >= 0)
		(void)close(t->try.fd);
	t->try = (struct try){ .fd = -1 };
}
