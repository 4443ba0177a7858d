/* SPDX-License-Identifier: ISC */
/*
 * Checks of the servers: do they answer with what they should, as the right
 * user, on the port that is meant, alone?
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "launcher.h"
#include "os.h"
#include "svctl_doctor.h"
#include "svctl_http.h"

#define GET_MS	5000

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* One port is said in up to four places: they have to agree. */
static void
check_ports_agree(struct doctor *d, const struct conf_service *sv)
{
	const char *host = ctl_env_of(sv, "OLLAMA_HOST");
	const struct {
		const char *where;
		long	 port;
	} said[] = {
		{ "[port] number", (long)sv->port.number },
		{ "[health] url", sv->health->url != NULL ?
		    port_in(sv->health->url) : 0 },
		{ "OLLAMA_HOST", host != NULL ? port_in(host) : 0 },
		{ "port-guard", sv->exec.n > 1 && ctl_is(base_name(
		    sv->exec.v[0]), "port-guard") ? port_in(sv->exec.v[1]) :
		    0 },
	};
	char mend[300];
	size_t i, k;

	(void)snprintf(mend, sizeof mend, "edit %.240s/service.conf",
	    sv->dir);
	for (i = 0; i < nitems(said); i++)
		for (k = i + 1; k < nitems(said); k++)
			if (said[i].port > 0 && said[k].port > 0 &&
			    said[i].port != said[k].port) {
				doctor_put(d, BAD, mend, "%s: %s says %ld, "
				    "%s says %ld", sv->name, said[i].where,
				    said[i].port, said[k].where,
				    said[k].port);
				return;
			}
}

static void
check_holder(struct doctor *d, const struct conf_service *conf,
    const struct sv *sv)
{
	char name[64] = "?", mend[256] = "";
	const struct passwd *pw;
	uid_t uid = 0;
	pid_t holder;

	if (sv == NULL || sv->port <= 0 || !ctl_is(sv->want, "up"))
		return;
	holder = os_port_holder((uint16_t)sv->port, &uid);
	if (holder == 0 || (holder > 0 && sv->pid > 0 &&
	    getsid(holder) == (pid_t)sv->pid))
		return;
	pw = getpwuid(uid);
	if (conf->port.policy == PORT_ADOPT) {
		doctor_put(d, NOTE, NULL, "port %lld of %s is served by pid %d "
		    "of %s, which it adopts", (long long)sv->port, sv->name,
		    (int)holder, pw != NULL ? pw->pw_name : "another user");
		return;
	}
	if (holder < 0) {
		doctor_put(d, WARN, "sudo svctl doctor", "port %lld of %s is "
		    "held by a process of %s that only root can name",
		    (long long)sv->port, sv->name, pw != NULL ? pw->pw_name :
		    "another user");
		return;
	}
	(void)os_proc_name(holder, name, sizeof name, NULL);
	launcher_advice(holder, name, mend, sizeof mend);
	if (mend[0] == '\0')
		(void)snprintf(mend, sizeof mend, "kill %d", (int)holder);
	doctor_put(d, BAD, mend, "port %lld of %s is held by pid %d (%s, user "
	    "%s), which is not its process", (long long)sv->port, sv->name,
	    (int)holder, name, pw != NULL ? pw->pw_name : "?");
}

/* What no answer means. True: there is one to look into. */
static bool
take_answer(struct doctor *d, const struct conf_service *sv, int rc,
    const struct get *g, const char *what)
{
	char mend[128];

	(void)snprintf(mend, sizeof mend, "svctl restart %s", sv->name);
	if (rc == 0 && (g->status == 503 || g->status == 429)) {
		doctor_put(d, FINE, NULL, "%s is busy (%s: %d): leave it "
		    "alone", sv->name, what, g->status);
		return false;
	}
	if (rc == 0 && g->status >= 200 && g->status < 300)
		return true;
	if (rc == 0)
		doctor_put(d, BAD, mend, "%s: %s answers %d", sv->name, what,
		    g->status);
	else if (strncmp(g->err, "not checked", 11) == 0)
		doctor_put(d, NOTE, NULL, "%s: %s", sv->name, g->err);
	else
		doctor_put(d, BAD, mend, "%s: %s: %s%s", sv->name, what,
		    g->err, g->refused ? "" : " (it takes connections and is "
		    "silent)");
	return false;
}

/* Whose models they are, against whose process it is. */
static void
check_store(struct doctor *d, const struct conf_service *sv,
    const struct sv *now)
{
	const char *models = ctl_env_of(sv, "OLLAMA_MODELS");
	char path[MACHINE_PATH], mend[MACHINE_PATH], name[64];
	char err[CONF_ERR_LEN];
	struct conf_user u;
	struct store s;
	uid_t uid;

	if (models == NULL && conf_user(sv, &u, err) == 0)
		(void)snprintf(path, sizeof path, "%s/.ollama/models",
		    u.home[0] != '\0' && u.uid >= 0 ? u.home : d->m.home);
	else if (models != NULL)
		(void)snprintf(path, sizeof path, "%s", models);
	else
		return;
	if (!machine_store_at(&d->m, path, &s)) {
		if (machine_store(&d->m, &s) && s.models > 0) {
			(void)snprintf(mend, sizeof mend, "user = owner-of:"
			    "%.300s in %.300s/service.conf", s.path, sv->dir);
			doctor_put(d, WARN, mend, "%s has its models in "
			    "%.100s, which is not there; %d are in %.100s of "
			    "%s", sv->name, path, s.models, s.path, s.owner);
		}
		return;
	}
	if (now == NULL || now->pid <= 0 || os_proc_name((pid_t)now->pid,
	    name, sizeof name, &uid) < 0)
		return;
	(void)snprintf(mend, sizeof mend, "user = owner-of:%.300s in "
	    "%.300s/service.conf", s.path, sv->dir);
	if (uid != s.uid)
		doctor_put(d, BAD, mend, "%s runs as uid %ld, but its models "
		    "in %.100s belong to %s", sv->name, (long)uid, s.path,
		    s.owner);
	else
		doctor_put(d, FINE, NULL, "%s runs as %s, who owns the "
		    "models in %.100s", sv->name, s.owner, s.path);
}

static void
ask_ollama(struct doctor *d, const struct conf_service *sv)
{
	char words[256], mend[128];
	enum result result;
	struct get g;
	int rc = get_url(sv->health->url, "/api/tags", GET_MS, &g);

	if (take_answer(d, sv, rc, &g, "/api/tags")) {
		result = body_tags(g.body, g.len, &sv->health->models, words,
		    sizeof words);
		(void)snprintf(mend, sizeof mend, "svctl explain %s",
		    sv->name);
		doctor_put(d, result, result == FINE ? NULL : mend,
		    "%s answers in %d ms: %s", sv->name, g.ms, words);
	}
	get_free(&g);
}

/* /health, and where that is not known, the lists of models. */
static void
ask_mlx(struct doctor *d, const struct conf_service *sv)
{
	static const char *const paths[] = { "/health", "/api/tags",
	    "/v1/models" };
	char words[256], mend[128];
	enum result result;
	struct get g;
	int rc = -1;
	size_t i;

	for (i = 0; i < nitems(paths); i++) {
		if (i > 0)
			get_free(&g);
		rc = get_url(sv->health->url, paths[i], GET_MS, &g);
		if (rc < 0 || g.status != 404)
			break;
	}
	i = i < nitems(paths) ? i : nitems(paths) - 1;
	if (take_answer(d, sv, rc, &g, paths[i])) {
		result = i == 0 ? body_mlx(g.body, g.len, words,
		    sizeof words) : body_tags(g.body, g.len,
		    &sv->health->models, words, sizeof words);
		(void)snprintf(mend, sizeof mend, "svctl restart %s",
		    sv->name);
		doctor_put(d, result, result == FINE ? NULL : mend,
		    "%s answers in %d ms: %s", sv->name, g.ms, words);
	}
	get_free(&g);
}

static void
ask_http(struct doctor *d, const struct conf_service *sv)
{
	const char *path = sv->health->live != NULL ? sv->health->live :
	    ctl_is(sv->health->type, "openai") ? "/v1/models" : "/";
	struct get g;
	int rc = get_url(sv->health->url, path, GET_MS, &g);

	if (take_answer(d, sv, rc, &g, path))
		doctor_put(d, FINE, NULL, "%s answers in %d ms: %s is %d",
		    sv->name, g.ms, path, g.status);
	get_free(&g);
}

static void
ask_tcp(struct doctor *d, const struct conf_service *sv)
{
	struct get g;
	int rc = get_connect(sv->health->url, GET_MS, &g);

	if (rc == 0)
		doctor_put(d, FINE, NULL, "%s takes connections", sv->name);
	else
		(void)take_answer(d, sv, rc, &g, "connect");
}

static const struct {
	const char *type;
	void	(*ask)(struct doctor *, const struct conf_service *);
} types[] = {
	{ "ollama", ask_ollama }, { "mlx", ask_mlx }, { "openai", ask_http },
	{ "http", ask_http }, { "tcp", ask_tcp },
};

static void
check_environment(struct doctor *d, const struct conf_service *sv)
{
	const char *keep = ctl_env_of(sv, "OLLAMA_KEEP_ALIVE");
	char mend[300];

	if (keep == NULL || keep[0] != '-')
		return;
	(void)snprintf(mend, sizeof mend, "edit %.240s/service.conf",
	    sv->dir);
	doctor_put(d, WARN, mend, "%s: OLLAMA_KEEP_ALIVE = %s never unloads "
	    "a model: memory fills up", sv->name, keep);
}

static void
take_obstacle(void *arg, const char *service, const char *what,
    const char *mend)
{
	doctor_put(arg, BAD, mend, "%s: %s", service, what);
}

void
doctor_servers(struct doctor *d)
{
	const struct conf_service *sv;
	const struct sv *now;
	size_t k;
	int i;

	if (!d->have_conf)
		return;
	doctor_group(d, "servers");
	for (i = 0; i < d->conf.n; i++) {
		sv = &d->conf.service[i];
		if (sv->broken != NULL)
			continue;
		now = doctor_sv(d, sv->name);
		if (d->m.root[0] == '\0' &&	/* it sees this machine */
		    (now == NULL || ctl_is(now->want, "up")))
			ctl_preflight(sv, take_obstacle, d);
		check_ports_agree(d, sv);
		check_holder(d, sv, now);
		check_environment(d, sv);
		if (sv->health->type == NULL || now == NULL ||
		    !ctl_is_up(now))
			continue;	/* the group before has said it */
		if (ctl_is(sv->health->type, "ollama"))
			check_store(d, sv, now);
		for (k = 0; k < nitems(types); k++)
			if (ctl_is(types[k].type, sv->health->type) &&
			    sv->health->url != NULL)
				types[k].ask(d, sv);
		if (d->c->opt[OPT_DEEP] != NULL)
			doctor_deep(d, sv, now);
	}
}
