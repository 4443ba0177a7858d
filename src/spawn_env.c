/* SPDX-License-Identifier: ISC */
/*
 * The environment that a service gets, made in its child: nothing of the
 * supervisor's own, unless it was named. The later word counts: what every
 * process of the user has, pass-environment, svtree's own, [environment],
 * env-dir, env-file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "service.h"
#include "spawn_child.h"

#define ENV_MAX		512
#define ENV_BYTES	65536

static struct {
	char	*var[ENV_MAX + 1];
	int	 n;
	bool	 full;
	struct buf text;
	char	 bytes[ENV_BYTES];
} env;				/* only ever used in a child */

static int
find(const char *name)
{
	size_t len = strlen(name);
	int i;

	for (i = 0; i < env.n; i++)
		if (strncmp(env.var[i], name, len) == 0 &&
		    env.var[i][len] == '=')
			break;
	return i;
}

/* value NULL takes the variable away. */
static void
add(void *arg, const char *name, const char *value)
{
	char *start = env.text.base + env.text.len;
	int i = find(name);

	(void)arg;
	if (value == NULL) {
		if (i < env.n)
			env.var[i] = env.var[--env.n];
		return;
	}
	buf_printf(&env.text, "%s=%s", name, value);
	buf_putc(&env.text, '\0');
	if (env.text.overflow || i == ENV_MAX) {
		env.full = true;
		return;
	}
	env.var[i] = start;
	if (i == env.n)
		env.n++;
}

static void
put(const char *name, const char *value)
{
	add(NULL, name, value);
}

static void
add_login(const struct conf_user *u)
{
	put("PATH", conf_default_path());
	put("HOME", u->home);
	put("USER", u->name);
	put("LOGNAME", u->name);
	put("SHELL", u->shell);
}

static void
add_passed(const struct conf_list *pass)
{
	const char *value;
	int i;

	for (i = 0; i < pass->n; i++)
		if ((value = getenv(pass->v[i])) != NULL)
			put(pass->v[i], value);
}

static void
add_svtree(const struct service *sv)
{
	const char *value;
	char notify[256];

	if ((value = getenv("SVTREE_PATH")) != NULL)
		put("SVTREE_PATH", value);
	put("SVTREE_RUN", sv->tree->run);
	put("SVTREE_SERVICES", sv->tree->services);
	put("SVTREE_STATE", sv->tree->state);
	put("SVTREE_LOG", sv->tree->log);
	put("SVTREE_SERVICE", sv->conf->name);
	if (sv->conf->instance != NULL)
		put("INSTANCE", sv->conf->instance);
	if (service_may_notify(sv->conf)) {
		service_path(sv, "notify", notify, sizeof notify);
		put("NOTIFY_SOCKET", notify);
	}
	if (sv->conf->watchdog_ms > 0) {
		(void)snprintf(notify, sizeof notify, "%lld",
		    (long long)sv->conf->watchdog_ms * 1000);
		put("WATCHDOG_USEC", notify);
		(void)snprintf(notify, sizeof notify, "%ld", (long)getpid());
		put("WATCHDOG_PID", notify);
	}
}

/* [environment], then what stands in files. 0, or -1 with err. */
static int
add_configured(const struct conf_service *c, char *err)
{
	char name[256];
	size_t n;
	int i;

	for (i = 0; i < c->environment.n; i++) {
		n = strcspn(c->environment.v[i], "=");
		(void)snprintf(name, sizeof name, "%.*s", (int)n,
		    c->environment.v[i]);
		put(name, c->environment.v[i] + n + 1);
	}
	for (i = 0; i < c->env_dir.n; i++)
		if (conf_env_dir(c->env_dir.v[i], add, NULL, err) < 0)
			return -1;
	for (i = 0; i < c->env_file.n; i++)
		if (conf_env_file(c->env_file.v[i], add, NULL, err) < 0)
			return -1;
	return 0;
}

/* Beside the leader: which process that is, by systemd's name for it. */
static void
add_main_pid(int32_t pid)
{
	char text[16];

	if (pid <= 1)
		return;
	(void)snprintf(text, sizeof text, "%d", (int)pid);
	put("MAINPID", text);
}

/* sd_listen_fds(3) */
static void
add_sockets(const struct conf_sockets *sockets)
{
	char text[CONF_SOCKETS_MAX * (CONF_NAME_MAX + 1)];
	struct buf b;
	int i;

	if (sockets->n == 0)
		return;
	(void)snprintf(text, sizeof text, "%d", sockets->n);
	put("LISTEN_FDS", text);
	(void)snprintf(text, sizeof text, "%ld", (long)getpid());
	put("LISTEN_PID", text);
	buf_init(&b, text, sizeof text);
	for (i = 0; i < sockets->n; i++)
		buf_printf(&b, "%s%s", i == 0 ? "" : ":",
		    sockets->v[i].name);
	put("LISTEN_FDNAMES", buf_cstr(&b));
}

char **
spawn_env(const struct service *sv, const struct conf_user *u, bool leader,
    char *err)
{
	env.n = 0;
	env.full = false;
	buf_init(&env.text, env.bytes, sizeof env.bytes);
	add_login(u);
	add_passed(&sv->conf->pass);
	add_svtree(sv);
	if (leader)
		add_sockets(&sv->conf->sockets);
	else
		add_main_pid(sv->rec.pid);
	if (add_configured(sv->conf, err) < 0)
		return NULL;
	if (env.full) {
		(void)snprintf(err, CONF_ERR_LEN, "the environment is larger "
		    "than %d variables or %d bytes", ENV_MAX, ENV_BYTES);
		return NULL;
	}
	env.var[env.n] = NULL;
	return env.var;
}

const char *
spawn_env_path(void)
{
	int i = find("PATH");

	return i < env.n ? env.var[i] + strlen("PATH=") : "/usr/bin:/bin";
}
