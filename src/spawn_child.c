/* SPDX-License-Identifier: ISC */
/*
 * Between fork and exec, in the child: session, lock, gate, log, user,
 * limits, environment, program. The order matters: the lock is descriptor 0
 * before the gate is asked, so nobody runs without both. What fails is told
 * through the gate; nothing is printed here.
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "spawn_child.h"

#define ENV_MAX		256
#define ENV_BYTES	32768

struct env {
	char	*var[ENV_MAX + 1];
	int	 n;
	struct buf text;
	char	 bytes[ENV_BYTES];
};

static struct env env;		/* only ever used in a child */
static int gate_fd = -1;

static void fail(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

static void
fail(const char *fmt, ...)
{
	struct gate_word w = { .error = errno };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(w.step, sizeof w.step, fmt, ap);
	va_end(ap);
	if (gate_fd >= 0)
		(void)!write(gate_fd, &w, sizeof w);
	_exit(111);
}

static void
env_add(const char *name, const char *value)
{
	char *start = env.text.base + env.text.len;
	size_t name_len = strlen(name);
	int i;

	buf_printf(&env.text, "%s=%s", name, value);
	buf_putc(&env.text, '\0');
	if (env.text.overflow)
		return;
	for (i = 0; i < env.n; i++)	/* the later word counts */
		if (strncmp(env.var[i], start, name_len + 1) == 0)
			break;
	if (i == ENV_MAX)
		return;
	env.var[i] = start;
	if (i == env.n)
		env.n++;
}

static void
env_fill(const struct service *sv, const struct conf_user *u)
{
	const struct conf_service *c = sv->conf;
	char notify[256];
	const char *value;
	int i;

	buf_init(&env.text, env.bytes, sizeof env.bytes);
	env_add("PATH", conf_default_path());
	env_add("HOME", u->home);
	env_add("USER", u->name);
	env_add("LOGNAME", u->name);
	env_add("SHELL", u->shell);
	for (i = 0; i < c->pass.n; i++)
		if ((value = getenv(c->pass.v[i])) != NULL)
			env_add(c->pass.v[i], value);
	if ((value = getenv("SVTREE_PATH")) != NULL)
		env_add("SVTREE_PATH", value);
	env_add("SVTREE_RUN", sv->tree->run);
	env_add("SVTREE_SERVICES", sv->tree->services);
	env_add("SVTREE_STATE", sv->tree->state);
	env_add("SVTREE_LOG", sv->tree->log);
	env_add("SVTREE_SERVICE", c->name);
	if (c->ready == READY_NOTIFY) {
		(void)snprintf(notify, sizeof notify, "%s/%s/notify",
		    sv->tree->run, c->name);
		env_add("NOTIFY_SOCKET", notify);
	}
	for (i = 0; i < c->environment.n; i++) {
		char name[256];
		size_t n = strcspn(c->environment.v[i], "=");

		(void)snprintf(name, sizeof name, "%.*s", (int)n,
		    c->environment.v[i]);
		env_add(name, c->environment.v[i] + n + 1);
	}
	env.var[env.n] = NULL;
	if (env.text.overflow) {
		errno = E2BIG;
		fail("make the environment");
	}
}

/* Moves fd onto to and lets it live through exec. */
static void
place(int fd, int to)
{
	if (fd == to)
		(void)fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, to) < 0)
		fail("place descriptor %d", to);
}

/* The FIFO is open read-write, here too: the service itself keeps a read end,
 * so that the death of all others is no SIGPIPE and loses nothing. */
static void
place_log(const struct service *sv, const struct conf_user *u)
{
	if (u->uid >= 0)
		(void)fchown(sv->log_fd, (uid_t)u->uid, (gid_t)-1);
	place(sv->log_fd, 1);
	place(sv->log_fd, 2);
}

static void
become(const struct service *sv, const struct conf_user *u)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];

	if (u->uid < 0)
		return;
	if (sv->conf->ready == READY_NOTIFY) {
		(void)snprintf(path, sizeof path, "%s/%s/notify",
		    sv->tree->run, sv->conf->name);
		(void)chown(path, (uid_t)u->uid, (gid_t)-1);
	}
	if (geteuid() != 0 && (uid_t)u->uid == geteuid())
		return;
	if (initgroups(u->name, (gid_t)u->gid) < 0 ||
	    setgid((gid_t)u->gid) < 0 || setuid((uid_t)u->uid) < 0)
		fail("become user %.20s", u->name);
}

static void
set_limits(const struct conf_service *c)
{
	struct rlimit rl;
	int i;

	for (i = 0; i < c->nlimits; i++) {
		rl.rlim_cur = c->limits[i].value == UINT64_MAX ?
		    RLIM_INFINITY : (rlim_t)c->limits[i].value;
		rl.rlim_max = rl.rlim_cur;
		if (setrlimit(c->limits[i].resource, &rl) < 0)
			fail("set limit %d", c->limits[i].resource);
	}
}

static void
go_home(const struct service *sv)
{
	const char *dir = sv->conf->directory != NULL ?
	    sv->conf->directory : sv->conf->dir;

	if (dir != NULL && chdir(dir) < 0)
		fail("go to %.30s", dir);
	(void)umask(022);
}

static void
run_program(const struct service *sv)
{
	char run[1200], *dir, *path, name[1200];
	const struct conf_list *exec = &sv->conf->exec;
	char *by_run[2] = { run, NULL };
	char **arg = exec->n > 0 ? exec->v : by_run;

	(void)snprintf(run, sizeof run, "%s/run", sv->conf->dir);
	if (strchr(arg[0], '/') != NULL) {
		(void)execve(arg[0], arg, env.var);
		fail("run %.32s", arg[0]);
	}
	path = env.var[0] + strlen("PATH=");
	errno = ENOENT;
	while ((dir = strsep(&path, ":")) != NULL) {
		(void)snprintf(name, sizeof name, "%s/%s", dir, arg[0]);
		(void)execve(name, arg, env.var);
		if (errno != ENOENT && errno != ENOTDIR)
			break;
	}
	fail("run %.32s", arg[0]);
}

static void
take_lock(const struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s/lock", sv->tree->run,
	    sv->conf->name);
	fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		fail("open the lock");
	/* Descriptor 0, because a daemon that closes all others keeps it. */
	place(fd, 0);
	if (flock(0, LOCK_EX | LOCK_NB) < 0)
		fail(GATE_STEP_LOCK);
}

static void
find_user(const struct service *sv, struct conf_user *u)
{
	char err[CONF_ERR_LEN];

	if (conf_user(sv->conf, u, err) < 0) {
		errno = EINVAL;
		fail("find its user");
	}
}

void
spawn_child(const struct service *sv, int gate, int ready_fd)
{
	struct conf_user u;
	char byte;

	gate_fd = gate;
	(void)setsid();
	os_reset_signals();
	take_lock(sv);
	/* End of file: the supervisor died before it recorded us. */
	if (read(gate, &byte, 1) != 1)
		_exit(111);
	find_user(sv, &u);
	env_fill(sv, &u);
	go_home(sv);
	place_log(sv, &u);
	if (ready_fd >= 0)
		place(ready_fd, sv->conf->ready_fd);
	set_limits(sv->conf);
	become(sv, &u);
	run_program(sv);
	_exit(111);
}

void
spawn_child_aux(const struct service *sv, const char *script,
    char *const arg[])
{
	struct conf_user u;
	int fd;

	(void)setsid();
	os_reset_signals();
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0)
		place(fd, 0);
	find_user(sv, &u);
	env_fill(sv, &u);
	go_home(sv);
	place_log(sv, &u);
	become(sv, &u);
	(void)execve(script, arg, env.var);
	_exit(111);
}
