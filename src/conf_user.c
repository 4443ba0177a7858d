/* SPDX-License-Identifier: ISC */
/*
 * The user of a service: a name, or the owner of a path, looked up afresh
 * each time, because models change hands.
 */
#include <sys/stat.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#define OWNER_OF "owner-of:"

static const struct passwd *
look_up(const struct conf_service *sv, char *err)
{
	const struct passwd *pw;
	const char *path;
	struct stat st;

	if (sv->user == NULL) {
		pw = getpwuid(geteuid());
		if (pw == NULL)
			(void)snprintf(err, CONF_ERR_LEN,
			    "no user has the number %ld", (long)geteuid());
		return pw;
	}
	if (strncmp(sv->user, OWNER_OF, strlen(OWNER_OF)) != 0) {
		pw = getpwnam(sv->user);
		if (pw == NULL)
			(void)snprintf(err, CONF_ERR_LEN, "no user %s here; "
			    "getent passwd lists them", sv->user);
		return pw;
	}
	path = sv->user + strlen(OWNER_OF);
	if (stat(path, &st) < 0) {
		(void)snprintf(err, CONF_ERR_LEN, "owner of %.300s: %s", path,
		    strerror(errno));
		return NULL;
	}
	pw = getpwuid(st.st_uid);
	if (pw == NULL)
		(void)snprintf(err, CONF_ERR_LEN, "the owner of %.300s, "
		    "number %ld, is no user here", path, (long)st.st_uid);
	return pw;
}

/* Who we are ourselves does not change, and most services run as that: it is
 * looked up once, in the parent, not again by every child. */
static bool
own(struct conf_user *u, const struct passwd *pw)
{
	static struct conf_user self;

	if (pw != NULL) {
		self = *u;
		return true;
	}
	if (self.name[0] != '\0')
		*u = self;
	return self.name[0] != '\0';
}

int
conf_user(const struct conf_service *sv, struct conf_user *u, char *err)
{
	bool plain = sv->user == NULL && sv->group == NULL;
	const struct passwd *pw;
	const struct group *gr;

	if (plain && own(u, NULL))
		return 0;
	if ((pw = look_up(sv, err)) == NULL)
		return -1;
	memset(u, 0, sizeof *u);
	u->uid = sv->user != NULL ? (long)pw->pw_uid : -1;
	u->gid = sv->user != NULL ? (long)pw->pw_gid : -1;
	(void)snprintf(u->name, sizeof u->name, "%s", pw->pw_name);
	(void)snprintf(u->home, sizeof u->home, "%s", pw->pw_dir);
	(void)snprintf(u->shell, sizeof u->shell, "%s", pw->pw_shell);
	if (sv->group != NULL) {
		gr = getgrnam(sv->group);
		if (gr == NULL) {
			(void)snprintf(err, CONF_ERR_LEN, "no group %s here",
			    sv->group);
			return -1;
		}
		u->gid = (long)gr->gr_gid;
	}
	if (plain)
		(void)own(u, pw);
	return 0;
}
