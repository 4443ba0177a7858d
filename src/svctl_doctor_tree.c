/* SPDX-License-Identifier: ISC */
/*
 * Checks of the tree itself: the supervisor, its definitions, its services.
 */
#include "config.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "svctl_doctor.h"
#include "svctl_install.h"

static void
check_supervisor(struct doctor *d)
{
	char run[512], age[32];

	if (client_run_dir(d->c->run, run, sizeof run) < 0)
		(void)snprintf(run, sizeof run, "?");
	if (!d->alive) {
		doctor_put(d, BAD, install_is_there(&d->m) ?
		    install_start_command(&d->m) : "svtree",
		    "no supervisor answers on %s", run);
		return;
	}
	ctl_ago(age, sizeof age, d->list.sup.since);
	doctor_put(d, FINE, NULL, "the supervisor answers: pid %lld, for %s",
	    (long long)d->list.sup.pid, age);
	if (ctl_is(d->list.sup.version, PACKAGE_VERSION))
		return;
	doctor_put(d, WARN, "svctl upgrade", "it is svtree %s, this is "
	    "svctl %s", d->list.sup.version, PACKAGE_VERSION);
}

static void
check_job(struct doctor *d)
{
	if (install_is_there(&d->m))
		doctor_put(d, FINE, NULL, "it is started at boot or login: "
		    "%s", install_file(&d->m));
	else
		doctor_put(d, WARN, "svctl install", "nothing starts it after "
		    "a reboot: %s is not there", install_file(&d->m));
}

static void
take_error(void *arg, const char *line)
{
	char mend[256];
	struct doctor *d = arg;

	if (access(d->services, R_OK) < 0) {
		doctor_put(d, BAD, "svctl init", "%s", line);
		return;
	}
	(void)snprintf(mend, sizeof mend, "edit %.150s/%.*s",
	    d->services, (int)strcspn(line, ":"), line);
	doctor_put(d, BAD, mend, "%s", line);
}

/* A file that is newer than what the supervisor has read. */
static bool
has_changed(const struct doctor *d, const char *name)
{
	static const char *const files[] = { "service.conf", "run", "finish",
	    "check" };
	int64_t loaded = ctl_time_us(d->list.sup.loaded) / 1000000;
	char path[1200];
	struct stat st;
	size_t i;

	for (i = 0; i < nitems(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", d->services,
		    name, files[i]);
		if (stat(path, &st) == 0 && (int64_t)st.st_mtime > loaded)
			return true;
	}
	return false;
}

static void
check_changes(struct doctor *d)
{
	int i, changed = 0;
	char first[64] = "";

	for (i = 0; i < d->conf.n && d->alive; i++)
		if (doctor_sv(d, d->conf.service[i].name) == NULL ||
		    has_changed(d, d->conf.service[i].name)) {
			if (changed++ == 0)
				(void)strlcpy(first, d->conf.service[i].name,
				    sizeof first);
		}
	if (changed > 0)
		doctor_put(d, WARN, "svctl reload", "%d definition%s changed "
		    "on disk since the supervisor read %s (%s%s)", changed,
		    changed == 1 ? " has" : "s have", changed == 1 ? "it" :
		    "them", first, changed == 1 ? "" : ", ...");
}

void
doctor_tree(struct doctor *d)
{
	int errors;

	doctor_group(d, "svtree");
	check_supervisor(d);
	check_job(d);
	errors = conf_load_partly(&d->conf, d->services, take_error, d);
	d->have_conf = errors >= 0;
	if (errors == 0)
		doctor_put(d, FINE, NULL, "%s: %d services, no error",
		    d->services, d->conf.n);
	if (d->have_conf)
		check_changes(d);
}

/* What one command would do about a service that is not up. */
static void
put_mend(char *dst, size_t cap, const struct doctor *d, const struct sv *sv)
{
	const struct sv *need;
	bool healthy;
	int i;

	for (i = 0; i < 16 && ctl_is(sv->state, "WAITING") &&
	    (need = ctl_unmet(&d->list, sv, &healthy)) != NULL; i++)
		sv = need;
	if (ctl_is(sv->state, "DOWN") && !ctl_is(sv->want, "up"))
		(void)snprintf(dst, cap, "svctl %s %s", sv->enabled ? "start" :
		    "enable", sv->name);
	else if (ctl_is(sv->state, "TRIPPED"))
		(void)snprintf(dst, cap, "svctl start %s", sv->name);
	else
		(void)snprintf(dst, cap, "svctl explain %s", sv->name);
}

static void
check_service(struct doctor *d, const struct sv *sv)
{
	char mend[128], next[128], age[32];

	put_mend(mend, sizeof mend, d, sv);
	ctl_next_step(next, sizeof next, sv);
	ctl_ago(age, sizeof age, sv->since);
	if (ctl_is(sv->want, "up") && !ctl_is_up(sv)) {
		doctor_put(d, ctl_is(sv->state, "STARTING") ? WARN : BAD,
		    mend, "%s is %s for %s, not up: %s%s%s", sv->name,
		    sv->state, age, sv->reason, next[0] != '\0' ? "; " : "",
		    next);
		return;
	}
	if (ctl_is_up(sv) && ctl_is(sv->health, "failing")) {
		(void)snprintf(mend, sizeof mend, "svctl restart %s",
		    sv->name);
		doctor_put(d, BAD, mend, "%s is UP and failing: %s", sv->name,
		    sv->health_text);
	} else if (ctl_is_up(sv) && ctl_is(sv->health, "degraded")) {
		(void)snprintf(mend, sizeof mend, "svctl logs %s", sv->name);
		doctor_put(d, WARN, mend, "%s is UP and degraded: %s",
		    sv->name, sv->health_text);
	} else if (ctl_is_up(sv)) {
		doctor_put(d, FINE, NULL, "%s is UP%s%s", sv->name,
		    ctl_is(sv->health, "unknown") ? "" : ", ",
		    ctl_is(sv->health, "unknown") ? "" : sv->health);
	} else if (!sv->enabled) {
		doctor_put(d, NOTE, NULL, "%s is disabled by a person",
		    sv->name);
	}
	if (sv->stale) {
		(void)snprintf(mend, sizeof mend, "svctl restart %s",
		    sv->name);
		doctor_put(d, WARN, mend, "%s runs by a definition that has "
		    "changed", sv->name);
	}
	if (ctl_is(sv->type, "oneshot") && sv->exit_kind[0] != '\0' &&
	    !sv->exit_good && !ctl_is_up(sv)) {
		(void)snprintf(mend, sizeof mend, "svctl logs %s", sv->name);
		doctor_put(d, WARN, mend, "the last run of %s failed",
		    sv->name);
	}
	if (sv->oom) {
		(void)snprintf(mend, sizeof mend, "svctl history %s",
		    sv->name);
		doctor_put(d, WARN, mend, "%s was killed for memory",
		    sv->name);
	}
}

void
doctor_services(struct doctor *d)
{
	char names[256];
	int i;

	if (!d->alive)
		return;
	doctor_group(d, "services");
	if (d->have_conf && ctl_unprobed(names, sizeof names, &d->conf))
		doctor_put(d, WARN, UNPROBED_MEND, "nobody reads [health] of "
		    "%s", names);
	for (i = 0; i < d->list.n; i++)
		check_service(d, &d->list.sv[i]);
}
