/* SPDX-License-Identifier: ISC */
/*
 * Other managers that would start the same servers: found by the files that
 * make them do so, with the command that takes them away.
 */
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "svctl_machine.h"

struct search {
	const struct machine *m;
	machine_on_competitor *each;
	void	*arg;
	bool	 over;
};

bool
machine_is_competitor(const char *name)
{
	/* What a job, unit or line is called; svtree's own are none. */
	static const char *const marks[] = { "ollama", "mlx", "com.atra.",
	    "system_auto_recovery", "host_recovery_listener", "lmstudio" };
	size_t i;

	if (strcasestr(name, "svtree") != NULL)
		return false;
	for (i = 0; i < nitems(marks); i++)
		if (strcasestr(name, marks[i]) != NULL)
			return true;
	return false;
}

static void
tell(struct search *s, struct competitor *c)
{
	if (!s->over)
		s->over = !s->each(s->arg, c);
}

/* name without the suffix; false when it has another one. */
static bool
take_name(const char *file, const char *suffix, char *dst, size_t cap)
{
	size_t n = strlen(file), k = strlen(suffix);

	if (n <= k || strcmp(file + n - k, suffix) != 0)
		return false;
	(void)snprintf(dst, cap, "%.*s", (int)(n - k), file);
	return true;
}

static void
look_launchd(struct search *s, const char *dir, bool user)
{
	struct competitor c = { .kind = BY_LAUNCHD, .user = user };
	char real[MACHINE_PATH];
	struct dirent *e;
	DIR *d;

	(void)snprintf(real, sizeof real, "%s%s", s->m->root, dir);
	if ((d = opendir(real)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!take_name(e->d_name, ".plist", c.name, sizeof c.name) ||
		    !machine_is_competitor(c.name))
			continue;
		(void)snprintf(c.file, sizeof c.file, "%.800s/%.200s", dir,
		    e->d_name);
		if (user)
			(void)snprintf(c.mend, sizeof c.mend, "launchctl "
			    "disable gui/%ld/%.90s; launchctl bootout "
			    "gui/%ld/%.90s", (long)s->m->uid, c.name,
			    (long)s->m->uid, c.name);
		else
			(void)snprintf(c.mend, sizeof c.mend, "launchctl "
			    "disable system/%.90s; launchctl bootout "
			    "system/%.90s", c.name, c.name);
		tell(s, &c);
	}
	(void)closedir(d);
}

static void
look_wants(struct search *s, const char *dir, bool user)
{
	struct competitor c = { .kind = BY_SYSTEMD, .user = user };
	char real[MACHINE_PATH];
	struct dirent *e;
	DIR *d;

	(void)snprintf(real, sizeof real, "%s%s", s->m->root, dir);
	if ((d = opendir(real)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!take_name(e->d_name, ".service", c.name,
		    sizeof c.name) || !machine_is_competitor(c.name))
			continue;
		(void)snprintf(c.file, sizeof c.file, "%.800s/%.200s", dir,
		    e->d_name);
		(void)snprintf(c.mend, sizeof c.mend, "systemctl %sdisable "
		    "--now %s", user ? "--user " : "", c.name);
		tell(s, &c);
	}
	(void)closedir(d);
}

/* What is started at boot hangs in a directory NAME.target.wants. */
static void
look_systemd(struct search *s, const char *dir, bool user)
{
	char real[MACHINE_PATH], wants[MACHINE_PATH], name[128];
	struct dirent *e;
	DIR *d;

	(void)snprintf(real, sizeof real, "%s%s", s->m->root, dir);
	if ((d = opendir(real)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!take_name(e->d_name, ".wants", name, sizeof name))
			continue;
		(void)snprintf(wants, sizeof wants, "%s/%.200s", dir,
		    e->d_name);
		look_wants(s, wants, user);
	}
	(void)closedir(d);
}

static void
look_crontab(struct search *s, const char *path, const char *mend, bool user)
{
	struct competitor c = { .kind = BY_CRON, .user = user };
	char real[MACHINE_PATH], line[512];
	FILE *f;

	(void)snprintf(real, sizeof real, "%s%s", s->m->root, path);
	if ((f = fopen(real, "re")) == NULL)
		return;
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || !machine_is_competitor(line))
			continue;
		(void)snprintf(c.name, sizeof c.name, "%.120s", line);
		(void)snprintf(c.file, sizeof c.file, "%s", path);
		(void)snprintf(c.mend, sizeof c.mend, "%s", mend);
		tell(s, &c);
	}
	(void)fclose(f);
}

static void
look_cron(struct search *s)
{
	const struct passwd *pw = getpwuid(s->m->uid);
	char path[MACHINE_PATH];

	look_crontab(s, "/etc/crontab", "edit /etc/crontab", false);
	if (pw == NULL)
		return;
	(void)snprintf(path, sizeof path, "/var/spool/cron/crontabs/%s",
	    pw->pw_name);
	look_crontab(s, path, "crontab -e", true);
	(void)snprintf(path, sizeof path, "/usr/lib/cron/tabs/%s",
	    pw->pw_name);
	look_crontab(s, path, "crontab -e", true);
}

/* The app writes its server's pid while it runs. */
static void
look_app(struct search *s)
{
	struct competitor c = { .kind = BY_APP, .user = true };
	char real[MACHINE_PATH];

	(void)snprintf(c.file, sizeof c.file, "%.500s/Library/Application "
	    "Support/Ollama/ollama.pid", s->m->home);
	(void)snprintf(real, sizeof real, "%s%.900s", s->m->root, c.file);
	if (access(real, F_OK) < 0)
		return;
	(void)snprintf(c.name, sizeof c.name, "Ollama.app");
	(void)snprintf(c.mend, sizeof c.mend, "osascript -e 'quit app "
	    "\"Ollama\"'");
	tell(s, &c);
}

void
machine_competitors(const struct machine *m, machine_on_competitor *each,
    void *arg)
{
	struct search s = { m, each, arg, false };
	char path[MACHINE_PATH];

	(void)snprintf(path, sizeof path, "%s/Library/LaunchAgents", m->home);
	look_launchd(&s, path, true);
	look_launchd(&s, "/Library/LaunchAgents", true);
	look_launchd(&s, "/Library/LaunchDaemons", false);
	look_systemd(&s, "/etc/systemd/system", false);
	(void)snprintf(path, sizeof path, "%s/.config/systemd/user", m->home);
	look_systemd(&s, path, true);
	look_cron(&s);
	look_app(&s);
}
