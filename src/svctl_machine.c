/* SPDX-License-Identifier: ISC */
/*
 * What is on the machine, read off its files: see the header.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf.h"
#include "svctl_machine.h"

#define WALK_MAX	4000	/* directories looked at for compose files */
#define WALK_DEPTH	3

void
machine_init(struct machine *m, const char *root)
{
	const char *home = getenv("HOME");

	memset(m, 0, sizeof *m);
	m->root = root != NULL && strcmp(root, "/") != 0 ? root : "";
	m->uid = geteuid();
	(void)snprintf(m->home, sizeof m->home, "%s", home != NULL ? home :
	    "/");
}

static void
below(const struct machine *m, char *dst, const char *path)
{
	(void)snprintf(dst, MACHINE_PATH, "%s%s", m->root, path);
}

/* --- models */

static int
count_manifests(const char *path, int depth)
{
	char deeper[MACHINE_PATH];
	struct dirent *e;
	struct stat st;
	DIR *d;
	int n = 0;

	if (depth == 0 || (d = opendir(path)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL && n < 10000) {
		if (e->d_name[0] == '.' || snprintf(deeper, sizeof deeper,
		    "%s/%s", path, e->d_name) >= (int)sizeof deeper ||
		    stat(deeper, &st) < 0)
			continue;
		n += S_ISDIR(st.st_mode) ? count_manifests(deeper, depth - 1)
		    : 1;
	}
	(void)closedir(d);
	return n;
}

bool
machine_store_at(const struct machine *m, const char *path, struct store *s)
{
	char real[MACHINE_PATH], manifests[MACHINE_PATH + 16];
	struct passwd *pw;
	struct stat st;

	below(m, real, path);
	if (stat(real, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	(void)snprintf(manifests, sizeof manifests, "%s/manifests", real);
	(void)snprintf(s->path, sizeof s->path, "%s", path);
	s->uid = st.st_uid;
	pw = getpwuid(st.st_uid);
	(void)snprintf(s->owner, sizeof s->owner, "%s", pw != NULL ?
	    pw->pw_name : "?");
	/* registry/library/model/tag */
	s->models = count_manifests(manifests, 5);
	return true;
}

static void
try_store(const struct machine *m, const char *path, struct store *best,
    bool *found)
{
	struct store s;

	if (!machine_store_at(m, path, &s))
		return;
	if (!*found || s.models > best->models)
		*best = s;
	*found = true;
}

bool
machine_store(const struct machine *m, struct store *s)
{
	static const char *const shared[] = {
		"/usr/share/ollama/.ollama/models",
		"/Users/Shared/ollama/models", "/var/lib/ollama/models",
	};
	static const char *const homes[] = { "/home", "/Users" };
	const char *named = getenv("OLLAMA_MODELS");
	char path[MACHINE_PATH];
	struct dirent *e;
	bool found = false;
	size_t i;
	DIR *d;

	if (named != NULL && named[0] == '/')
		try_store(m, named, s, &found);
	(void)snprintf(path, sizeof path, "%s/.ollama/models", m->home);
	try_store(m, path, s, &found);
	for (i = 0; i < nitems(shared); i++)
		try_store(m, shared[i], s, &found);
	for (i = 0; m->uid == 0 && i < nitems(homes); i++) {
		below(m, path, homes[i]);
		if ((d = opendir(path)) == NULL)
			continue;
		while ((e = readdir(d)) != NULL) {
			if (e->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path,
			    "%s/%.200s/.ollama/models", homes[i], e->d_name);
			try_store(m, path, s, &found);
		}
		(void)closedir(d);
	}
	return found;
}

/* --- programs */

static bool
is_program(const struct machine *m, const char *path)
{
	char real[MACHINE_PATH];
	struct stat st;

	below(m, real, path);
	return access(real, X_OK) == 0 && stat(real, &st) == 0 &&
	    S_ISREG(st.st_mode);
}

bool
machine_program(const struct machine *m, const char *name, char *dst,
    size_t cap)
{
	const char *lists[] = { conf_default_path(), getenv("PATH"),
	    "/opt/homebrew/bin:/usr/local/bin:/usr/bin:"
	    "/Applications/Ollama.app/Contents/Resources" };
	const char *p, *end;
	size_t i;

	for (i = 0; i < nitems(lists); i++)
		for (p = lists[i]; p != NULL && *p != '\0';
		    p = end + (*end == ':')) {
			end = p + strcspn(p, ":");
			(void)snprintf(dst, cap, "%.*s/%s", (int)(end - p),
			    p, name);
			if (dst[0] == '/' && is_program(m, dst))
				return true;
		}
	dst[0] = '\0';
	return false;
}

/* --- compose files */

struct walk {
	const struct machine *m;
	char	(*path)[MACHINE_PATH];
	int	 n, max, left;	/* left: directories to look at */
};

static bool
is_compose(const char *name)
{
	static const char *const names[] = { "docker-compose.yml",
	    "docker-compose.yaml", "compose.yml", "compose.yaml" };
	size_t i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* Where nobody keeps a stack, and much else. */
static bool
is_left_out(const char *name)
{
	static const char *const names[] = { "node_modules", "Library",
	    "vendor", "target", "build", "venv", "site-packages" };
	size_t i;

	for (i = 0; i < nitems(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return name[0] == '.';
}

static void
walk(struct walk *w, const char *path, int depth)
{
	char real[MACHINE_PATH], deeper[MACHINE_PATH];
	struct dirent *e;
	struct stat st;
	DIR *d;
	int i;

	below(w->m, real, path);
	if (w->left-- <= 0 || (d = opendir(real)) == NULL)
		return;
	while ((e = readdir(d)) != NULL && w->n < w->max) {
		if (is_left_out(e->d_name) || snprintf(deeper, sizeof deeper,
		    "%s/%s", path, e->d_name) >= (int)sizeof deeper)
			continue;
		below(w->m, real, deeper);
		if (lstat(real, &st) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth > 0)
			walk(w, deeper, depth - 1);
		if (!S_ISREG(st.st_mode) || !is_compose(e->d_name) ||
		    w->n == w->max)
			continue;
		for (i = 0; i < w->n; i++)
			if (strcmp(w->path[i], deeper) == 0)
				break;
		if (i == w->n)
			(void)snprintf(w->path[w->n++], MACHINE_PATH, "%s",
			    deeper);
	}
	(void)closedir(d);
}

int
machine_compose(const struct machine *m, char (*path)[MACHINE_PATH], int max)
{
	struct walk w = { .m = m, .path = path, .max = max,
	    .left = WALK_MAX };
	char here[MACHINE_PATH];
	size_t n = strlen(m->root);

	if (getcwd(here, sizeof here) != NULL &&
	    strncmp(here, m->root, n) == 0 && strcmp(here, "/") != 0)
		walk(&w, here + n, 1);
	walk(&w, m->home, WALK_DEPTH);
	if (m->uid == 0) {
		walk(&w, "/opt", 2);
		walk(&w, "/srv", 2);
	}
	return w.n;
}
