/* SPDX-License-Identifier: ISC */
/*
 * What a process of a service is, set in its child: directory, umask, limits,
 * priority, groups, user. In this order: what only root may do comes before
 * the user is changed.
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "os.h"
#include "spawn_child.h"

#define GROUPS_MAX	64

static void
go_home(const struct service *sv)
{
	const char *dir = sv->conf->directory != NULL ?
	    sv->conf->directory : sv->conf->dir;

	if (dir != NULL && chdir(dir) < 0)
		spawn_fail("go to %s", dir);
	(void)umask((mode_t)sv->conf->umask);
}

static rlim_t
limit_of(uint64_t value)
{
	return value == UINT64_MAX ? RLIM_INFINITY : (rlim_t)value;
}

static void
set_limits(const struct conf_service *c)
{
	struct rlimit rl, had;
	int i;

	for (i = 0; i < c->nlimits; i++) {
		const struct conf_limit *l = &c->limits[i];

		rl.rlim_cur = limit_of(l->soft);
		rl.rlim_max = limit_of(l->hard);
		if (setrlimit(l->resource, &rl) == 0)
			continue;
		/* infinity is as much as there is: some limits have an end
		 * that not even root can move. */
		if (rl.rlim_max != RLIM_INFINITY ||
		    getrlimit(l->resource, &had) < 0)
			spawn_fail("set the limit %s",
			    conf_limit_name(l->resource));
		rl.rlim_max = had.rlim_max;
		if (rl.rlim_cur > rl.rlim_max)
			rl.rlim_cur = rl.rlim_max;
		if (setrlimit(l->resource, &rl) < 0)
			spawn_fail("set the limit %s",
			    conf_limit_name(l->resource));
	}
}

static void
set_priority(const struct conf_service *c)
{
	if (c->nice != CONF_UNSET &&
	    setpriority(PRIO_PROCESS, 0, c->nice) < 0)
		spawn_fail("set nice = %d", c->nice);
	/* The supervisor may be protected from the kernel's out-of-memory
	 * killer: that is for nobody else. */
	if (c->oom_score_adj == CONF_UNSET)
		(void)os_oom_score(0);
	else if (os_oom_score(c->oom_score_adj) < 0)
		spawn_fail("set oom-score-adj = %d", c->oom_score_adj);
}

/* The user's own groups are there already, if it has a user. */
static void
add_groups(const struct conf_list *names)
{
	gid_t gid[GROUPS_MAX];
	const struct group *gr;
	int i, n;

	if (names->n == 0)
		return;
	if ((n = getgroups(GROUPS_MAX, gid)) < 0)
		spawn_fail("read its groups");
	for (i = 0; i < names->n; i++) {
		if ((gr = getgrnam(names->v[i])) == NULL) {
			errno = ENOENT;
			spawn_fail("find the group %s", names->v[i]);
		}
		if (n < GROUPS_MAX)
			gid[n++] = gr->gr_gid;
	}
	if (setgroups((size_t)n, gid) < 0)
		spawn_fail("join its groups");
}

static void
change_user(const struct service *sv, const struct conf_user *u)
{
	if (geteuid() != 0)	/* then it is ourselves: conf_check.c */
		return;
	if (u->uid >= 0 && initgroups(u->name, (gid_t)u->gid) < 0)
		spawn_fail("take the groups of %s", u->name);
	add_groups(&conf_rare(sv->conf)->groups);
	if (u->gid >= 0 && setgid((gid_t)u->gid) < 0)
		spawn_fail("take the group of %s", u->name);
	if (u->uid >= 0 && setuid((uid_t)u->uid) < 0)
		spawn_fail("become user %s", u->name);
}

void
spawn_become(const struct service *sv, const struct conf_user *u)
{
	go_home(sv);
	os_files_restore();
	set_limits(sv->conf);
	set_priority(sv->conf);
	change_user(sv, u);
}
