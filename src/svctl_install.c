/* SPDX-License-Identifier: ISC */
/*
 * svctl install and uninstall: the one job that starts svtree, after the
 * jobs that it takes the place of are gone.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "svctl.h"
#include "svctl_edit.h"
#include "svctl_job.h"
#include "svctl_run.h"

#define TEXT_MAX	16384

/* The program of this name beside svctl as it was called, else in PATH. */
static void
find_beside(const struct ctl *c, const char *name, char *dst, size_t cap)
{
	char path[PATH_MAX], real[PATH_MAX];
	const char *slash = strrchr(c->argv0, '/');

	dst[0] = '\0';
	if (slash != NULL)
		(void)snprintf(path, sizeof path, "%.*s/%s",
		    (int)(slash - c->argv0), c->argv0, name);
	else if (run_find(name, path, sizeof path) < 0)
		return;
	/* Not through links: /opt/homebrew/bin/svtree stays by its name. */
	if (path[0] == '/' && access(path, X_OK) == 0)
		(void)strlcpy(dst, path, cap);
	else if (realpath(path, real) != NULL && access(real, X_OK) == 0)
		(void)strlcpy(dst, real, cap);
}

static int
take_arguments(struct installing *in)
{
	struct ctl *c = in->c;
	const char *manager = c->opt[OPT_MANAGER];
	char real[PATH_MAX], run[MACHINE_PATH];

	machine_init(&in->m, c->opt[OPT_ROOT]);
	if (c->opt[OPT_USER] != NULL && c->opt[OPT_SYSTEM] != NULL) {
		(void)fprintf(stderr, "svctl: --user or --system, not "
		    "both\n");
		return CTL_USAGE;
	}
	if (manager != NULL && !ctl_is(manager, "systemd") &&
	    !ctl_is(manager, "launchd")) {
		(void)fprintf(stderr, "svctl: --manager %s: systemd or "
		    "launchd would be one\n", manager);
		return CTL_USAGE;
	}
	in->j.launchd = manager != NULL ? ctl_is(manager, "launchd") :
	    install_has_launchd();
	in->j.system = c->opt[OPT_SYSTEM] != NULL ||
	    (in->m.uid == 0 && c->opt[OPT_USER] == NULL);
	install_place(&in->m, &in->j);
	find_beside(c, "svtree", in->j.svtree, sizeof in->j.svtree);
	find_beside(c, "svctl", in->j.svctl, sizeof in->j.svctl);
	if (in->j.svtree[0] == '\0') {
		(void)fprintf(stderr, "svctl: there is no svtree beside "
		    "svctl: make install brings both\n");
		return CTL_FAILED;
	}
	if (c->n > 0 && realpath(c->name[0], real) != NULL)
		(void)snprintf(in->j.services, sizeof in->j.services, "%.*s",
		    MACHINE_PATH - 1, real);
	else if (c->n > 0)
		(void)snprintf(in->j.services, sizeof in->j.services, "%s",
		    c->name[0]);
	if (in->j.launchd && !in->j.system) {
		(void)snprintf(run, sizeof run, "%s/.svtree/run",
		    in->m.home);
		(void)snprintf(in->j.run, sizeof in->j.run, "%s", run);
		if (in->j.services[0] == '\0')
			(void)snprintf(in->j.services, sizeof in->j.services,
			    "%s/.svtree/services", in->m.home);
	}
	return CTL_OK;
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

/* A job that ends at once, again and again, helps nobody. */
static int
check_services(struct installing *in)
{
	const char *dir = in->j.services;
	char mine[MACHINE_PATH + 32];
	struct conf_tree t;

	(void)snprintf(mine, sizeof mine, "%s/.svtree/services", in->m.home);
	if (dir[0] == '\0')
		dir = in->j.system ? "/etc/svtree/services" : mine;
	if (in->m.root[0] != '\0')
		return CTL_OK;
	if (access(dir, R_OK) < 0) {
		(void)fprintf(stderr, "svctl: %s: %s; svctl init writes "
		    "one\n", dir, strerror(errno));
		return CTL_FAILED;
	}
	if (conf_load(&t, dir, print_error, NULL) < 0) {
		(void)fprintf(stderr, "svctl: %s is in error; mend the above "
		    "first (svctl check)\n", dir);
		return CTL_FAILED;
	}
	conf_free(&t);
	return CTL_OK;
}

static bool
take_away(void *arg, const struct competitor *c)
{
	struct installing *in = arg;

	/* What belongs to another session is not this one's to stop. */
	if (!c->user && in->m.uid != 0) {
		(void)printf("%s would start the same servers (%s); to take "
		    "it away: %s\n", c->name, c->file, c->mend);
		return true;
	}
	if (c->kind == BY_CRON) {
		(void)printf("a cron job would start the same servers (%s): "
		    "%s\n  to take it away: %s\n", c->file, c->name,
		    c->mend);
		return true;
	}
	if (ask_yes(in->c, "%s would start the same servers (%s). Take it "
	    "away?", c->name, c->file))
		(void)install_command(in, c->mend, COMMAND_MS);
	return true;
}

static int
print_only(struct installing *in, const char *text)
{
	(void)fputs(text, stdout);
	(void)fflush(stdout);
	(void)fprintf(stderr, "svctl: this would be %s\n", in->j.file);
	return CTL_OK;
}

int
svctl_install(struct ctl *c)
{
	struct installing in = { .c = c };
	char text[TEXT_MAX], real[MACHINE_PATH + 512];
	int rc;

	if ((rc = take_arguments(&in)) != CTL_OK)
		return rc;
	if (install_text(&in.j, text, sizeof text) < 0) {
		(void)fprintf(stderr, "svctl: a path is too long\n");
		return CTL_FAILED;
	}
	if (c->opt[OPT_PRINT] != NULL)
		return print_only(&in, text);
	if ((rc = check_services(&in)) != CTL_OK)
		return rc;
	machine_competitors(&in.m, take_away, &in);
	(void)snprintf(real, sizeof real, "%s%s", in.m.root, in.j.file);
	if (!ask_yes(c, "Write %s and have it start svtree?", real))
		return CTL_FAILED;
	if (edit_write(real, text, 0644) < 0)
		return errno == EACCES ? CTL_NOT_PERMITTED : CTL_FAILED;
	if (install_lint(&in) != 0 || install_detach_running(&in) < 0)
		return CTL_FAILED;
	if (install_start(&in) != 0)
		return CTL_FAILED;
	return install_wait_for_answer(&in);
}

int
svctl_uninstall(struct ctl *c)
{
	struct installing in = { .c = c };
	char real[MACHINE_PATH + 512];
	int rc;

	if ((rc = take_arguments(&in)) != CTL_OK && rc != CTL_FAILED)
		return rc;
	(void)snprintf(real, sizeof real, "%s%s", in.m.root, in.j.file);
	if (access(real, F_OK) < 0) {
		(void)fprintf(stderr, "svctl: %s is not there: nothing to "
		    "uninstall\n", real);
		return CTL_FAILED;
	}
	if (!ask_yes(c, "Stop svtree with all its services and remove %s?",
	    real))
		return CTL_FAILED;
	install_stop(&in);
	if (unlink(real) < 0) {
		(void)fprintf(stderr, "svctl: remove %s: %s\n", real,
		    strerror(errno));
		return CTL_FAILED;
	}
	if (!in.j.launchd)
		(void)install_command(&in, in.j.system ?
		    "systemctl daemon-reload" :
		    "systemctl --user daemon-reload", COMMAND_MS);
	(void)printf("gone. Definitions, logs and what is disabled are left: "
	    "%s\n", in.j.system ? "/etc/svtree /var/log/svtree "
	    "/var/lib/svtree" : "~/.svtree");
	return CTL_OK;
}
