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
	const char *given;	/* the directory that was named, or NULL */
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
	else if (w->given != NULL && strcmp(path, w->given) == 0)
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

/* root can read all; but what it writes there, the owner cannot. */
static bool
is_root_s_to_use(const struct store_user *u, const char *dir,
    const struct words *w)
{
	struct stat st;
	char owner[40];

	if (u->uid != 0 || stat(dir, &st) < 0 || st.st_uid == 0)
		return true;
	put_name(st.st_uid, owner, sizeof owner);
	/* A disk of a Mac on which nobody owns anything. */
	if (strcmp(owner, "_unknown") == 0)
		return true;
	(void)snprintf(w->why, w->whycap, "root would use %s, which belongs "
	    "to %s", dir, owner);
	(void)snprintf(w->mend, w->mendcap, "set user = owner-of:%s", dir);
	return false;
}

static bool
has_home(const struct store_user *u, const char *what, const struct words *w)
{
	if (u->home != NULL && u->home[0] == '/')
		return true;
	(void)snprintf(w->why, w->whycap, "HOME is not set: %s", what);
	(void)snprintf(w->mend, w->mendcap, "set user = NAME");
	return false;
}

static bool
ollama_fits(const struct store_user *u, struct words *w)
{
	static const char *const parts[] = { "", "/blobs", "/manifests" };
	char path[PATH_CAP], store[PATH_CAP - 64];
	size_t i;

	if (!has_home(u, "Ollama keeps its key there", w))
		return false;
	w->given = u->env(u->arg, "OLLAMA_MODELS");
	if (w->given != NULL)
		(void)snprintf(store, sizeof store, "%.900s", w->given);
	else
		(void)snprintf(store, sizeof store, "%.900s/.ollama/models",
		    u->home);
	if (!is_root_s_to_use(u, store, w))
		return false;
	for (i = 0; i < nitems(parts); i++) {
		(void)snprintf(path, sizeof path, "%s%s", store, parts[i]);
		if (!fits(u, path, w))
			return false;
	}
	(void)snprintf(path, sizeof path, "%.900s/.ollama", u->home);
	return fits(u, path, w);
}

/* --- Hugging Face's cache */

static const struct {
	const char *name, *below;	/* of the directory that it names */
} hub_places[] = {
	{ "HF_HUB_CACHE", "" }, { "HUGGINGFACE_HUB_CACHE", "" },
	{ "HF_HOME", "/hub" }, { "XDG_CACHE_HOME", "/huggingface/hub" },
};

/* Where it is; *given: a variable names it. */
static bool
find_hub(const struct store_user *u, const struct words *w, char *dst,
    size_t cap, bool *given)
{
	const char *dir;
	size_t i;

	*given = true;
	for (i = 0; i < nitems(hub_places); i++) {
		dir = u->env(u->arg, hub_places[i].name);
		if (dir == NULL || dir[0] == '\0')
			continue;
		(void)snprintf(dst, cap, "%.800s%s", dir,
		    hub_places[i].below);
		return true;
	}
	*given = false;
	if (!has_home(u, "the models are looked for below it", w))
		return false;
	(void)snprintf(dst, cap, "%.800s/.cache/huggingface/hub", u->home);
	return true;
}

static bool
is_readable(const struct store_user *u, const char *path,
    const struct words *w)
{
	struct stat st;

	if (stat(path, &st) < 0 || may(u, path, R_OK | X_OK))
		return true;
	tell(u, path, &st, "read", w);
	return false;
}

/* "org/name" is below models--org--name: one that somebody else has fetched
 * may be closed to us. A model that is a path of its own must be there. */
static bool
model_fits(const struct store_user *u, const char *hub, const char *model,
    const struct words *w)
{
	static const char *const parts[] = { "", "/snapshots", "/blobs" };
	char path[PATH_CAP], name[256] = "";
	const char *p;
	struct stat st;
	size_t i, n = 0;

	if (model[0] == '/') {
		if (stat(model, &st) == 0)
			return is_readable(u, model, w);
		(void)snprintf(w->why, w->whycap, "its model %s is not "
		    "there: %s", model, strerror(errno));
		(void)snprintf(w->mend, w->mendcap, "ls -ld %s", model);
		return false;
	}
	for (p = model; *p != '\0' && n + 3 < sizeof name; p++) {
		if (*p == '/')
			name[n++] = '-';
		name[n++] = *p == '/' ? '-' : *p;
	}
	for (i = 0; i < nitems(parts); i++) {
		(void)snprintf(path, sizeof path, "%.600s/models--%.255s%s",
		    hub, name, parts[i]);
		if (!is_readable(u, path, w))
			return false;
	}
	return true;
}

static bool
hub_fits(const struct store_user *u, struct words *w)
{
	const char *offline = u->env(u->arg, "HF_HUB_OFFLINE");
	char hub[PATH_CAP];
	struct stat st;
	bool given;
	int i;

	if (!find_hub(u, w, hub, sizeof hub, &given))
		return false;
	if (given)
		w->given = hub;
	if (!is_root_s_to_use(u, hub, w))
		return false;
	/* Without one its models are elsewhere, or it will make it. */
	if (given || stat(hub, &st) == 0) {
		if (offline != NULL && strcmp(offline, "1") == 0) {
			if (!is_readable(u, hub, w))
				return false;
		} else if (!fits(u, hub, w)) {
			return false;
		}
	}
	for (i = 0; u->models != NULL && i < u->models->n; i++)
		if (!model_fits(u, hub, u->models->v[i], w))
			return false;
	return true;
}

static bool
mentions(const struct conf_list *exec, const char *word)
{
	int i;

	for (i = 0; i < exec->n; i++)
		if (strstr(exec->v[i], word) != NULL)
			return true;
	return false;
}

enum store_kind
store_kind(const struct conf_service *sv)
{
	const char *type = sv->health->type;

	/* Those of a container are inside of it. */
	if (type == NULL || sv->container->name != NULL)
		return STORE_NONE;
	if (strcmp(type, "ollama") == 0)
		return STORE_OLLAMA;
	if (strcmp(type, "mlx") == 0 || (strcmp(type, "openai") == 0 &&
	    (mentions(&sv->exec, "mlx") || mentions(&sv->exec, "vllm"))))
		return STORE_HUB;
	return STORE_NONE;
}

bool
store_fits(enum store_kind kind, const struct store_user *u, char *why,
    size_t whycap, char *mend, size_t mendcap)
{
	struct words w = { .why = why, .mend = mend, .whycap = whycap,
	    .mendcap = mendcap };

	if (kind == STORE_OLLAMA)
		return ollama_fits(u, &w);
	return kind == STORE_NONE || hub_fits(u, &w);
}
