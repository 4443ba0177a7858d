/* SPDX-License-Identifier: ISC */
/*
 * What a service will find in its way that no definition shows: a compose
 * file that has moved, a model store of somebody else, a program behind a
 * guard that is not there. For check and doctor, before the start.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "store.h"
#include "svctl.h"

struct preflight {
	const struct conf_service *sv;
	ctl_preflight_each *each;
	void	*arg;
};

const char *
ctl_env_of(const struct conf_service *sv, const char *name)
{
	size_t n = strlen(name);
	int i;

	for (i = 0; i < sv->environment.n; i++)
		if (strncmp(sv->environment.v[i], name, n) == 0 &&
		    sv->environment.v[i][n] == '=')
			return sv->environment.v[i] + n + 1;
	return NULL;
}

static void
look_at_compose(const struct preflight *p)
{
	const char *file = p->sv->container->compose;
	char what[320], mend[1100];

	if (file == NULL || access(file, R_OK) == 0)
		return;
	(void)snprintf(what, sizeof what, "its compose file %.200s cannot be "
	    "read: %s", file, strerror(errno));
	(void)snprintf(mend, sizeof mend, "edit %s/service.conf", p->sv->dir);
	p->each(p->arg, p->sv->name, what, mend);
}

static const char *
its_env(const void *sv, const char *name)
{
	return ctl_env_of(sv, name);
}

static void
look_at_store(const struct preflight *p)
{
	char why[200], mend[200], err[CONF_ERR_LEN];
	struct store_user s = { .uid = geteuid(), .gid = getegid(),
	    .env = its_env, .arg = p->sv, .models = &p->sv->health->models };
	const char *home = ctl_env_of(p->sv, "HOME");
	enum store_kind kind = store_kind(p->sv);
	struct conf_user u;

	if (kind == STORE_NONE || conf_user(p->sv, &u, err) < 0)
		return;
	if (u.uid >= 0) {
		s.uid = (uid_t)u.uid;
		s.gid = (gid_t)u.gid;
	}
	s.home = home != NULL ? home : u.home;
	/* Run as the supervisor is: its home is not known here. */
	if (s.home[0] == '\0' && (kind == STORE_HUB ||
	    ctl_env_of(p->sv, "OLLAMA_MODELS") == NULL))
		return;
	if (s.home[0] == '\0')
		s.home = "/";
	if (!store_fits(kind, &s, why, sizeof why, mend, sizeof mend))
		p->each(p->arg, p->sv->name, why, mend);
}

/* Is the program in the PATH that the service has? */
static bool
is_there(const struct conf_service *sv, const char *program)
{
	const char *dir = ctl_env_of(sv, "PATH");
	char path[PATH_MAX];
	size_t n;

	if (strchr(program, '/') != NULL)
		return program[0] != '/' || access(program, X_OK) == 0;
	if (dir == NULL)
		dir = conf_default_path();
	for (;; dir += n + 1) {
		n = strcspn(dir, ":");
		(void)snprintf(path, sizeof path, "%.*s/%s", (int)n, dir,
		    program);
		if (access(path, X_OK) == 0)
			return true;
		if (dir[n] == '\0')
			return false;
	}
}

/* exec = port-guard 11434 -- ollama serve */
static void
look_at_program(const struct preflight *p)
{
	const struct conf_list *exec = &p->sv->exec;
	char what[200], mend[1100];
	int i;

	for (i = 1; i + 1 < exec->n; i++)
		if (strcmp(exec->v[i], "--") == 0)
			break;
	if (i + 1 >= exec->n || strstr(exec->v[0], "port-guard") == NULL ||
	    is_there(p->sv, exec->v[i + 1]))
		return;
	(void)snprintf(what, sizeof what, "its program %.120s is not there, "
	    "or not executable", exec->v[i + 1]);
	(void)snprintf(mend, sizeof mend, "install it, or give its absolute "
	    "path in %s/service.conf", p->sv->dir);
	p->each(p->arg, p->sv->name, what, mend);
}

void
ctl_preflight(const struct conf_service *sv, ctl_preflight_each *each,
    void *arg)
{
	const struct preflight p = { sv, each, arg };

	look_at_compose(&p);
	look_at_store(&p);
	look_at_program(&p);
}

static bool
is_monitor(const struct conf_service *sv)
{
	const char *name;
	int i;

	for (i = 0; i < sv->exec.n; i++) {
		name = strrchr(sv->exec.v[i], '/');
		if (strcmp(name != NULL ? name + 1 : sv->exec.v[i],
		    "health-monitor") == 0)
			return true;
	}
	return sv->exec.n == 0 && strcmp(sv->name, "health-monitor") == 0;
}

bool
ctl_unprobed(char *dst, size_t cap, const struct conf_tree *t)
{
	size_t len = 0;
	int i;

	dst[0] = '\0';
	for (i = 0; i < t->n; i++) {
		if (is_monitor(&t->service[i]))
			return false;
		if (t->service[i].health->type == NULL || len >= cap)
			continue;
		len += (size_t)snprintf(dst + len, cap - len, "%s%s",
		    len > 0 ? ", " : "", t->service[i].name);
	}
	return len > 0;
}
