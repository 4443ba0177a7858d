/* SPDX-License-Identifier: ISC */
/*
 * What only shows when the parts are seen together: programs that exist,
 * users, services that others name, cycles. Reads, never changes.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf_private.h"

/* Names that the run directory needs for itself. */
static const char *const reserved[] = { "svtree", "svlog", "control",
	"table", "lock", "logdir", "log" };

bool
conf_name_is_good(const char *name)
{
	const char *p;
	size_t i;

	for (i = 0; i < nitems(reserved); i++)
		if (strcmp(name, reserved[i]) == 0)
			return false;
	if (strchr(".-@", name[0]) != NULL ||	/* or is empty */
	    strlen(name) > CONF_NAME_MAX)
		return false;
	for (p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) &&
		    strchr("._@-+", *p) == NULL)
			return false;
	return true;
}

static bool
can_run(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

static bool
is_on_path(const char *program)
{
	const char *dir = conf_default_path();
	char path[PATH_MAX];
	size_t n;

	for (;;) {
		n = strcspn(dir, ":");
		(void)snprintf(path, sizeof path, "%.*s/%s", (int)n, dir,
		    program);
		if (n > 0 && can_run(path))
			return true;
		if (dir[n] == '\0')
			return false;
		dir += n + 1;
	}
}

/* A program by path or by name; one in a user's own PATH must be absolute. */
void
conf_check_program(struct conf_reader *rd, const char *section,
    const char *key, const char *program)
{
	bool path = strchr(program, '/') != NULL;

	if (path && program[0] != '/')
		conf_error_at(rd, section, key, "%s: %s is a relative path; "
		    "an absolute one or a bare name is right", key, program);
	else if (path && !can_run(program))
		conf_error_at(rd, section, key, "%s: %s is not there or not "
		    "executable", key, program);
	else if (!path && !is_on_path(program))
		conf_error_at(rd, section, key, "%s: program %s is not in %s; "
		    "install it or give its absolute path", key, program,
		    conf_default_path());
}

static void
check_exec(struct conf_reader *rd)
{
	struct conf_service *sv = rd->sv;

	if (sv->exec.n == 0 && !sv->has_run) {
		if (conf_line_of(rd, "service", "exec") == 0)
			conf_error(rd, "neither run nor service.conf with "
			    "exec; write one, or move the directory away");
		return;
	}
	if (sv->exec.n > 0 && sv->has_run)
		conf_error_at(rd, "service", "exec", "exec: there is a run "
		    "script as well; one of the two is right");
	else if (sv->exec.n > 0)
		conf_check_program(rd, "service", "exec", sv->exec.v[0]);
}

static void
check_user(struct conf_reader *rd)
{
	struct conf_service *sv = rd->sv;
	char err[CONF_ERR_LEN];
	struct conf_user u;

	if (sv->user != NULL && conf_user(sv, &u, err) < 0) {
		conf_error_at(rd, "service", "user", "user: %s", err);
		return;
	}
	if (sv->group != NULL && getgrnam(sv->group) == NULL)
		conf_error_at(rd, "service", "group", "group: no group %s "
		    "here; getent group lists them", sv->group);
	if (sv->user != NULL && geteuid() != 0 && u.uid != (long)geteuid())
		conf_error_at(rd, "service", "user", "user: only root can run "
		    "a service as %s", u.name);
}

static void
check_type(struct conf_reader *rd)
{
	struct conf_service *sv = rd->sv;

	if (sv->every_ms > 0 && sv->type != TYPE_ONESHOT)
		conf_error_at(rd, "service", "every", "every: only a oneshot "
		    "has a timer; add type = oneshot");
	if (sv->every_jitter_ms > 0 && sv->every_ms == 0)
		conf_error_at(rd, "service", "every-jitter", "every-jitter: "
		    "there is no timer; every = DURATION is missing");
	if (sv->ready == READY_CHECK && !sv->has_check)
		conf_error_at(rd, "service", "ready", "ready: there is no "
		    "executable file check");
	if (sv->restart_max_ms < sv->restart_delay_ms)
		sv->restart_max_ms = sv->restart_delay_ms;
	if (sv->directory != NULL && access(sv->directory, X_OK) < 0)
		conf_error_at(rd, "service", "directory", "directory: %s: %s",
		    sv->directory, strerror(errno));
}

static void
check_parts(struct conf_reader *rd)
{
	struct conf_service *sv = rd->sv;

	conf_check_health(rd);
	if (sv->container->name == NULL && sv->container->compose != NULL)
		conf_error_at(rd, "container", "compose", "compose: the name "
		    "of the container is missing");
	if (sv->container->name != NULL && sv->container->compose == NULL)
		conf_error_at(rd, "container", "name", "name: compose, the "
		    "file that defines it, is missing");
	if (sv->docker->start.n > 0)
		conf_check_program(rd, "docker", "start-command",
		    sv->docker->start.v[0]);
}

void
conf_check_service(struct conf_reader *rd)
{
	if (rd->sv->logs == NULL && !conf_name_is_good(rd->sv->name))
		conf_error(rd, "no name for a service; letters, digits and "
		    "._@+- are right, at most %d, and svtree's own are taken",
		    CONF_NAME_MAX);
	check_exec(rd);
	check_user(rd);
	check_type(rd);
	conf_check_run(rd);
	conf_check_logger(rd);
	check_parts(rd);
}

static void
check_names(struct conf_reader *rd, const struct conf_needs *needs,
    const char *key)
{
	int i;

	for (i = 0; i < needs->n; i++)
		if (conf_find(rd->tree, needs->v[i].name) == NULL)
			conf_error(rd, "%s: there is no service %s", key,
			    needs->v[i].name);
}

/* Depth-first along needs and after; mark 1: on the way, 2: done. */
struct walk {
	struct conf_reader *rd;
	char	*mark;
	int	*way;
	int	 depth;
};

static void
tell_cycle(struct walk *w, int from)
{
	char text[CONF_ERR_LEN - 64];
	struct conf_service *sv = w->rd->tree->service;
	struct buf b;
	int first = 0, i;

	while (w->way[first] != from)
		first++;
	buf_init(&b, text, sizeof text);
	for (i = first; i < w->depth; i++)
		buf_printf(&b, "%s -> ", sv[w->way[i]].name);
	buf_puts(&b, sv[from].name);
	w->rd->sv = &sv[from];
	conf_error(w->rd, "services wait for each other: %s; take one need "
	    "away", buf_cstr(&b));
	for (i = first; i < w->depth; i++)
		if (sv[w->way[i]].broken == NULL)
			sv[w->way[i]].broken = sv[from].broken;
}

static void follow(struct walk *w, int i);

static void
follow_all(struct walk *w, const struct conf_needs *needs)
{
	const struct conf_tree *t = w->rd->tree;
	const struct conf_service *other;
	int k;

	for (k = 0; k < needs->n; k++)
		if ((other = conf_find(t, needs->v[k].name)) != NULL)
			follow(w, (int)(other - t->service));
}

static void
follow(struct walk *w, int i)
{
	const struct conf_service *sv = &w->rd->tree->service[i];

	if (w->mark[i] == 1)
		tell_cycle(w, i);
	if (w->mark[i] != 0)
		return;
	w->mark[i] = 1;
	w->way[w->depth++] = i;
	follow_all(w, &sv->needs);
	follow_all(w, &sv->after);
	w->depth--;
	w->mark[i] = 2;
}

void
conf_check_tree(struct conf_reader *rd)
{
	struct conf_tree *t = rd->tree;
	struct walk w = { .rd = rd };
	int i, k;

	rd->line = 0;
	for (i = 0; i < t->n; i++) {
		rd->sv = &t->service[i];
		check_names(rd, &rd->sv->needs, "needs");
		check_names(rd, &rd->sv->after, "after");
		for (k = 0; k < rd->sv->restart_with.n; k++)
			if (conf_find(t, rd->sv->restart_with.v[k]) == NULL)
				conf_error(rd, "restart-with: there is no "
				    "service %s", rd->sv->restart_with.v[k]);
	}
	w.mark = conf_alloc(t, (size_t)t->n + 1);
	w.way = conf_alloc(t, ((size_t)t->n + 1) * sizeof *w.way);
	for (i = 0; w.mark != NULL && w.way != NULL && i < t->n; i++)
		follow(&w, i);
}
