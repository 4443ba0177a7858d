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

extern char **environ;	/* not every <unistd.h> says so */
static bool full;		/* no memory for one of them */

/* value NULL takes the variable away. */
static void
add(void *arg, const char *name, const char *value)
{
	(void)arg;
	full |= (value != NULL ? setenv(name, value, 1) : unsetenv(name)) < 0;
}

static void
put(const char *name, const char *value)
{
	add(NULL, name, value);
}

/* Of the supervisor's own only what was named stays. */
static void
keep(const struct conf_list *names)
{
	char **from = environ, **to = environ;
	size_t len;
	int i;

	for (; *from != NULL; from++) {
		len = strcspn(*from, "=");
		for (i = 0; i < names->n; i++)
			if (strncmp(names->v[i], *from, len) == 0 &&
			    names->v[i][len] == '\0')
				break;
		if (i < names->n || strncmp(*from, "SVTREE_PATH=", 12) == 0)
			*to++ = *from;
	}
	*to = NULL;
}

/* Unless one of them was passed. */
static void
add_login(const struct conf_user *u)
{
	const struct { const char *name, *value; } login[] = {
		{ "PATH", conf_default_path() }, { "HOME", u->home },
		{ "USER", u->name }, { "LOGNAME", u->name },
		{ "SHELL", u->shell },
	};
	size_t i;

	for (i = 0; i < nitems(login); i++)
		full |= login[i].value != NULL &&
		    setenv(login[i].name, login[i].value, 0) < 0;
}

static void
add_svtree(const struct service *sv)
{
	char notify[256];

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
	const struct conf_rare *rare = conf_rare(c);
	char name[256];
	size_t n;
	int i;

	for (i = 0; i < c->environment.n; i++) {
		n = strcspn(c->environment.v[i], "=");
		(void)snprintf(name, sizeof name, "%.*s", (int)n,
		    c->environment.v[i]);
		put(name, c->environment.v[i] + n + 1);
	}
	for (i = 0; i < rare->env_dir.n; i++)
		if (conf_env_dir(rare->env_dir.v[i], add, NULL, err) < 0)
			return -1;
	for (i = 0; i < rare->env_file.n; i++)
		if (conf_env_file(rare->env_file.v[i], add, NULL, err) < 0)
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

int
spawn_env(const struct service *sv, const struct conf_user *u, bool leader,
    char *err)
{
	keep(&conf_rare(sv->conf)->pass);
	add_login(u);
	add_svtree(sv);
	if (leader)
		add_sockets(&sv->conf->sockets);
	else
		add_main_pid(sv->rec.pid);
	if (add_configured(sv->conf, err) < 0)
		return -1;
	if (full)
		(void)snprintf(err, CONF_ERR_LEN, "no memory");
	return full ? -1 : 0;
}
