/* SPDX-License-Identifier: ISC */
/*
 * The directories of services, as sv(8) sees them: which service a word means,
 * a name or a path; what down and check say.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_sv.h"

bool
sv_is_normally_up(const struct list *all, const struct sv *sv)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s/down", all->sup.services,
	    sv->name);
	return sv->enabled && access(path, F_OK) < 0;
}

/* The last word of a path, or NAME/log. */
static void
take_name(char *dst, size_t cap, const char *path)
{
	char copy[PATH_MAX], *end, *slash;

	(void)snprintf(copy, sizeof copy, "%s", path);
	end = copy + strlen(copy);
	while (end > copy + 1 && end[-1] == '/')
		*--end = '\0';
	slash = strrchr(copy, '/');
	if (slash != NULL && strcmp(slash, "/log") == 0) {
		*slash = '\0';
		end = strrchr(copy, '/');
		*slash = '/';
		slash = end;
	}
	(void)strlcpy(dst, slash != NULL ? slash + 1 : copy, cap);
}

/* A directory by path is the service's own one, or a link to it. */
static bool
is_directory_of(const struct list *all, const char *path, const char *name)
{
	char own[PATH_MAX];
	struct stat a, b;

	(void)snprintf(own, sizeof own, "%s/%s", all->sup.services, name);
	return stat(path, &a) == 0 && stat(own, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static bool
is_path(const char *arg)
{
	size_t n = strlen(arg);

	return arg[0] == '/' || arg[0] == '.' || (n > 0 && arg[n - 1] == '/');
}

int
sv_find(struct sv_target *t, const struct list *all, const char *svdir)
{
	bool by_path = is_path(t->arg) || svdir != NULL;
	char path[PATH_MAX], real[PATH_MAX];
	const struct sv *found;

	if (is_path(t->arg))
		(void)snprintf(path, sizeof path, "%s", t->arg);
	else
		(void)snprintf(path, sizeof path, "%s/%s", svdir != NULL ?
		    svdir : all->sup.services, t->arg);
	if (t->arg[0] == '.' && realpath(path, real) != NULL)
		(void)snprintf(path, sizeof path, "%s", real);
	take_name(t->name, sizeof t->name, path);
	found = ctl_find(all, t->name);
	if ((by_path || found == NULL) && access(path, X_OK) < 0)
		return errno;
	if (found == NULL || (by_path && !is_directory_of(all, path,
	    t->name)))
		return -1;
	t->before = t->now = *found;
	return 0;
}

/* ./check of the service, with an end: killed when it takes too long. */
bool
sv_passes_check(const struct list *all, const struct sv_target *t,
    long seconds)
{
	char dir[PATH_MAX];
	char *arg[] = { (char *)"./check", NULL };
	int status = 0;
	pid_t pid;

	(void)snprintf(dir, sizeof dir, "%s/%s/check", all->sup.services,
	    t->name);
	if (access(dir, F_OK) < 0)
		return true;
	*strrchr(dir, '/') = '\0';
	(void)fflush(stdout);
	if ((pid = fork()) == 0) {
		(void)alarm((unsigned)seconds + 1);
		(void)close(STDOUT_FILENO);
		if (chdir(dir) == 0)
			(void)execv(arg[0], arg);
		_exit(111);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
