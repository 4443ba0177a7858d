/* SPDX-License-Identifier: ISC */
/*
 * Where the one job lies, by system and user, and whether it is there.
 */
#include <sys/utsname.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "svctl_install.h"

bool
install_has_launchd(void)
{
	struct utsname u;

	return uname(&u) >= 0 && strcmp(u.sysname, "Darwin") == 0;
}

/* For j->launchd, j->system and the home of m. */
void
install_place(const struct machine *m, struct job *j)
{
	(void)snprintf(j->home, sizeof j->home, "%s", m->home);
	if (j->launchd)
		(void)snprintf(j->file, sizeof j->file, "%s/Library/Launch%s/"
		    "org.svtree.host.plist", j->system ? "" : m->home,
		    j->system ? "Daemons" : "Agents");
	else
		(void)snprintf(j->file, sizeof j->file, "%s%s/svtree.service",
		    j->system ? "" : m->home, j->system ?
		    "/etc/systemd/system" : "/.config/systemd/user");
}

static const struct job *
usual(const struct machine *m)
{
	static struct job j;

	memset(&j, 0, sizeof j);
	j.launchd = install_has_launchd();
	j.system = m->uid == 0;
	install_place(m, &j);
	return &j;
}

const char *
install_file(const struct machine *m)
{
	return usual(m)->file;
}

bool
install_is_there(const struct machine *m)
{
	char real[2 * MACHINE_PATH];

	(void)snprintf(real, sizeof real, "%.1000s%.1000s", m->root,
	    usual(m)->file);
	return access(real, F_OK) == 0;
}

const char *
install_start_command(const struct machine *m)
{
	static char text[128];
	const struct job *j = usual(m);

	if (!j->launchd)
		return j->system ? "systemctl start svtree" :
		    "systemctl --user start svtree";
	if (j->system)
		(void)snprintf(text, sizeof text, "launchctl kickstart "
		    "system/org.svtree.host");
	else
		(void)snprintf(text, sizeof text, "launchctl kickstart "
		    "gui/%ld/org.svtree.host", (long)m->uid);
	return text;
}
