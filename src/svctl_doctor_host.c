/* SPDX-License-Identifier: ISC */
/*
 * Checks of the way to recovery and of the host: who else would start the
 * same servers, room on the disks, places that macOS hides from jobs.
 */
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <stdio.h>
#include <string.h>

#include "oom_ladder.h"
#include "svctl_doctor.h"
#include "svctl_http.h"

#define GET_MS		5000
#define PORT		9099	/* of recovery-listener, when nothing is said */
#define LEAST_BYTES	(UINT64_C(1) << 30)

static const struct conf_service *
find_listener(const struct doctor *d)
{
	const char *name;
	int i, k;

	for (i = 0; d->have_conf && i < d->conf.n; i++)
		for (k = 0; k < d->conf.service[i].exec.n; k++) {
			name = strrchr(d->conf.service[i].exec.v[k], '/');
			name = name != NULL ? name + 1 :
			    d->conf.service[i].exec.v[k];
			if (ctl_is(name, "recovery-listener"))
				return &d->conf.service[i];
		}
	return NULL;
}

/* Whoever may read the token may have servers restarted. */
static void
check_token(struct doctor *d, const struct conf_service *sv)
{
	const char *file = ctl_env_of(sv, "RECOVERY_LISTENER_TOKEN_FILE");
	const char *address = ctl_env_of(sv, "RECOVERY_LISTENER_ADDRESS");
	char mend[300];
	struct stat st;

	(void)snprintf(mend, sizeof mend, "edit %.240s/service.conf",
	    sv->dir);
	if (file == NULL) {
		if (address != NULL && strcmp(address, "127.0.0.1") != 0 &&
		    strcmp(address, "::1") != 0)
			doctor_put(d, WARN, mend, "%s listens on %s without "
			    "a token (RECOVERY_LISTENER_TOKEN_FILE)",
			    sv->name, address);
		return;
	}
	if (stat(file, &st) < 0) {
		doctor_put(d, BAD, mend, "%s: its token file %s cannot be "
		    "found", sv->name, file);
	} else if ((st.st_mode & 077) != 0) {
		(void)snprintf(mend, sizeof mend, "chmod 600 %.240s", file);
		doctor_put(d, BAD, mend, "%s: others may read its token "
		    "file %s", sv->name, file);
	}
}

void
doctor_recovery(struct doctor *d)
{
	const struct conf_service *sv = find_listener(d);
	const struct sv *now;
	char url[64], mend[128];
	struct get g;
	long port;
	int rc;

	if (sv == NULL)
		return;
	doctor_group(d, "recovery");
	check_token(d, sv);
	if (doctor_sv(d, "recover") == NULL && d->alive)
		doctor_put(d, BAD, "svctl init", "there is no service "
		    "recover: requests for recovery have no effect");
	now = doctor_sv(d, sv->name);
	if (now == NULL || !ctl_is_up(now))
		return;
	port = sv->port.number > 0 ? (long)sv->port.number : PORT;
	(void)snprintf(url, sizeof url, "http://127.0.0.1:%ld", port);
	rc = get_url(url, "/recover", GET_MS, &g);
	(void)snprintf(mend, sizeof mend, "svctl restart %s", sv->name);
	if (rc == 0 && g.status == 200)
		doctor_put(d, FINE, NULL, "%s/recover answers in %d ms", url,
		    g.ms);
	else
		doctor_put(d, BAD, mend, "%s/recover: %s", url, rc < 0 ?
		    g.err : "not 200");
	get_free(&g);
}

static bool
put_competitor(void *arg, const struct competitor *c)
{
	static const char *const kinds[] = {
		[BY_LAUNCHD] = "the launchd job", [BY_SYSTEMD] =
		"the systemd unit", [BY_CRON] = "the cron job",
		[BY_APP] = "the app",
	};

	doctor_put(arg, BAD, c->mend, "%s %s would start the same servers "
	    "(%s)", kinds[c->kind], c->name, c->file);
	return true;
}

static void
check_disk(struct doctor *d, const char *what, const char *path)
{
	struct statvfs fs;
	uint64_t room, size;
	char mend[300];

	if (path[0] == '\0' || statvfs(path, &fs) < 0 || fs.f_blocks == 0)
		return;
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	size = (uint64_t)fs.f_blocks * fs.f_frsize;
	(void)snprintf(mend, sizeof mend, "du -xh -d 2 %.240s | sort -h",
	    path);
	if (room < LEAST_BYTES || room < size / 50)
		doctor_put(d, room < LEAST_BYTES / 4 ? BAD : WARN, mend,
		    "the disk with %s (%s) is nearly full: %llu MiB left of "
		    "%llu GiB", what, path, (unsigned long long)(room >> 20),
		    (unsigned long long)(size >> 30));
	else
		doctor_put(d, FINE, NULL, "the disk with %s has %llu GiB "
		    "left", what, (unsigned long long)(room >> 30));
}

static void
check_memory(struct doctor *d)
{
	struct ladder l = { .level = PRESSURE_OK };
	struct mem_sample m;
	char words[80];

	/* Of another machine's files there is no memory. */
	if (d->m.root[0] != '\0' || osmem_sample(NULL, &m) < 0)
		return;
	(void)ladder_step(&l, &m);
	host_words(&m, -1, words, sizeof words);
	if (l.level == PRESSURE_OK)
		doctor_put(d, FINE, NULL, "there is memory: %s", words);
	else
		doctor_put(d, l.level == PRESSURE_CRITICAL ? BAD : WARN,
		    "ollama ps, then ollama stop MODEL; or svctl stop mlx",
		    "memory pressure is %s: %s", pressure_word(l.level),
		    words);
}

/* launchd's jobs may not read there, and nothing says so. */
static void
check_hidden(struct doctor *d, const char *what, const char *path)
{
	static const char *const places[] = { "/Documents/", "/Desktop/",
	    "/Downloads/" };
	size_t i;

	if (path == NULL || strncmp(path, "/Users/", 7) != 0)
		return;
	for (i = 0; i < nitems(places); i++)
		if (strstr(path, places[i]) != NULL)
			doctor_put(d, WARN, "move it to another place",
			    "%s lies in %s: jobs of launchd may not read "
			    "there", what, path);
}

void
doctor_host(struct doctor *d)
{
	int i, before;
	struct store s;

	doctor_group(d, "host");
	before = d->count[BAD];
	machine_competitors(&d->m, put_competitor, d);
	if (d->count[BAD] == before)
		doctor_put(d, FINE, NULL, "nobody else starts the same "
		    "servers");
	check_memory(d);
	check_disk(d, "the logs", d->list.sup.log);
	if (machine_store(&d->m, &s))
		check_disk(d, "the models", s.path);
	check_hidden(d, "the directory of services", d->services);
	for (i = 0; d->have_conf && i < d->conf.n; i++) {
		check_hidden(d, d->conf.service[i].name,
		    d->conf.service[i].container->compose);
		check_hidden(d, d->conf.service[i].name,
		    d->conf.service[i].directory);
	}
}
