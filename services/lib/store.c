/* SPDX-License-Identifier: ISC */
/*
 * May a user use a model store? Looks at directories, changes nothing, and
 * does not know who asks: a server's guard before the start, or a person.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "store.h"

#define PATH_CAP	1024

/* mode as of access(2). Of another user only the file's own bits are known. */
static bool
may(const struct store_user *u, const char *path, int mode)
{
	struct stat st;
	int shift;

	if (u->uid == geteuid())
		return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
	if (u->uid == 0)
		return true;
	if (stat(path, &st) < 0)
		return false;
	shift = st.st_uid == u->uid ? 6 : st.st_gid == u->gid ? 3 : 0;
	return ((int)(st.st_mode >> shift) & mode) == mode;
}

static void
put_name(uid_t uid, char *dst, size_t cap)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		(void)snprintf(dst, cap, "%s", pw->pw_name);
	else
		(void)snprintf(dst, cap, "uid %ld", (long)uid);
}

struct words {
	char	*why, *mend;
	size_t	 whycap, mendcap;
};

static void
tell(const struct store_user *u, const char *path, const struct stat *st,
    const char *what, const struct words *w)
{
	char user[40], owner[40];

	put_name(u->uid, user, sizeof user);
	put_name(st->st_uid, owner, sizeof owner);
	(void)snprintf(w->why, w->whycap, "%s cannot %s %s, which belongs to "
	    "%s", user, what, path, owner);
	if (st->st_uid == u->uid)
		(void)snprintf(w->mend, w->mendcap, "chmod -R u+rwX %s",
		    path);
	else if (u->models != NULL && strcmp(path, u->models) == 0)
		(void)snprintf(w->mend, w->mendcap, "set user = owner-of:%s",
		    path);
	else
		(void)snprintf(w->mend, w->mendcap, "sudo chown -R %s %s",
		    user, path);
}

/* A directory that it uses, or will make. */
static bool
fits(const struct store_user *u, const char *dir, const struct words *w)
{
	char path[PATH_CAP], *slash;
	struct stat st;
	bool there = true;

	(void)snprintf(path, sizeof path, "%s", dir);
	while (stat(path, &st) < 0) {
		there = false;
		slash = strrchr(path, '/');
		if (slash == NULL || slash == path) {
			(void)snprintf(path, sizeof path, "/");
			if (stat(path, &st) < 0)
				return true;
			break;
		}
		*slash = '\0';
	}
	if (!S_ISDIR(st.st_mode)) {
		(void)snprintf(w->why, w->whycap, "%s is no directory", path);
		(void)snprintf(w->mend, w->mendcap, "mv %s %s.old", path,
		    path);
		return false;
	}
	if (there && !may(u, path, R_OK | X_OK))
		tell(u, path, &st, "read", w);
	else if (!may(u, path, W_OK | X_OK))
		tell(u, path, &st, there ? "write to" : "make a directory "
		    "in", w);
	else
		return true;
	return false;
}

bool
store_fits(const struct store_user *u, char *why, size_t whycap, char *mend,
    size_t mendcap)
{
	static const char *const parts[] = { "", "/blobs", "/manifests" };
	const struct words w = { why, mend, whycap, mendcap };
	char path[PATH_CAP];
	size_t i;

	if (u->home == NULL || u->home[0] != '/') {
		(void)snprintf(why, whycap, "HOME is not set: Ollama keeps "
		    "its key there");
		(void)snprintf(mend, mendcap, "set user = NAME");
		return false;
	}
	for (i = 0; i < nitems(parts); i++) {
		if (u->models != NULL)
			(void)snprintf(path, sizeof path, "%.900s%s",
			    u->models, parts[i]);
		else
			(void)snprintf(path, sizeof path, "%.900s/.ollama/"
			    "models%s", u->home, parts[i]);
		if (!fits(u, path, &w))
			return false;
	}
	(void)snprintf(path, sizeof path, "%.900s/.ollama", u->home);
	return fits(u, path, &w);
}
