/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_INSTALL_H
#define SVTREE_SVCTL_INSTALL_H

#include "svctl_machine.h"

/*
 * The one job of launchd or systemd that starts svtree.
 */
struct job {
	bool	 launchd;	/* else systemd */
	bool	 system;	/* for the machine, else for the user */
	char	 file[MACHINE_PATH];	/* without the root */
	char	 svtree[MACHINE_PATH], svctl[MACHINE_PATH];
	char	 services[MACHINE_PATH];	/* "" the default */
	char	 run[MACHINE_PATH];
	char	 home[512];
};

/* svctl_unit.c, pure: the text of the file. -1: no room. */
int install_text(const struct job *j, char *dst, size_t cap);

/* Of the usual kind for this system and user. */
bool install_is_there(const struct machine *m);
const char *install_file(const struct machine *m);
const char *install_start_command(const struct machine *m);
/* Is this a system that has launchd? */
bool install_has_launchd(void);
void install_place(const struct machine *m, struct job *j);

#endif
