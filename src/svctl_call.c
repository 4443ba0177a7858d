/* SPDX-License-Identifier: ISC */
/*
 * svctl's side of the protocol: one connection for calls, one for events,
 * errors into words and exit status.
 */
#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "svctl.h"

#define CALL_MS		10000
#define ASKED_MAX	32	/* names that one request has room for */

int64_t
ctl_now_ms(void)
{
	return os_now_ms();
}

/* For what no event announces. */
void
ctl_pause(int ms)
{
	(void)poll(NULL, 0, ms);
}

/* Root's tree is there, but not where this user looks. */
static const char *
other_tree(void)
{
	static const char *const dirs[] = { "/run/svtree",
	    "/var/run/svtree" };
	char path[64];
	size_t i;

	for (i = 0; geteuid() != 0 && i < nitems(dirs); i++) {
		(void)snprintf(path, sizeof path, "%s/control", dirs[i]);
		if (access(path, F_OK) == 0)
			return dirs[i];
	}
	return NULL;
}

static int
nobody_there(const struct ctl *c)
{
	const char *other = c->run == NULL ? other_tree() : NULL;
	char run[512];

	if (client_run_dir(c->run, run, sizeof run) < 0)
		(void)snprintf(run, sizeof run, "?");
	(void)fprintf(stderr, "svctl: no supervisor is running on %s; ", run);
	if (other != NULL)
		(void)fprintf(stderr, "root's tree is on %s: sudo svctl, or "
		    "svctl --run %s\n", other, other);
	else
		(void)fprintf(stderr, "start svtree, or name its run "
		    "directory by --run DIR or SVTREE_RUN\n");
	return CTL_NO_SUPERVISOR;
}

static int
not_permitted(const struct ctl *c)
{
	const struct passwd *pw = NULL;
	struct stat st;
	char run[512];

	if (client_run_dir(c->run, run, sizeof run) == 0 &&
	    stat(run, &st) == 0)
		pw = getpwuid(st.st_uid);
	(void)fprintf(stderr, "svctl: not permitted; this tree belongs to "
	    "%s: run svctl as that user or as root\n", pw != NULL ?
	    pw->pw_name : "another user");
	return CTL_NOT_PERMITTED;
}

int
ctl_connect(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];

	if (c->client.fd >= 0 || client_open(&c->client, c->run, err) == 0)
		return CTL_OK;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return nobody_there(c);
	if (errno == EACCES)
		return not_permitted(c);
	(void)fprintf(stderr, "svctl: %s\n", err);
	return CTL_FAILED;
}

int
ctl_subscribe(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int rc;

	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	if (client_open(&c->events, c->run, err) < 0 ||
	    client_send(&c->events, "Subscribe", NULL, true, CALL_MS,
	    err) < 0 ||
	    client_recv(&c->events, &r, CALL_MS, err) <= 0) {
		(void)fprintf(stderr, "svctl: subscribe: %s\n", err);
		return CTL_NO_SUPERVISOR;
	}
	if (r.error[0] != '\0')
		return ctl_tell(c, &r, r.reason, NULL);
	return CTL_OK;
}

int
ctl_next_event(struct ctl *c, int64_t deadline_ms)
{
	int64_t left = deadline_ms - ctl_now_ms();
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int got;

	got = client_recv(&c->events, &r, left > 0 ? (int)left : 0, err);
	if (got >= 0)
		return got;
	(void)fprintf(stderr, "svctl: the supervisor has gone (%s); svctl "
	    "status tells what is left\n", err);
	return -CTL_NO_SUPERVISOR;
}

static void
suggest(struct ctl *c, const char *name)
{
	struct list l = { .sv = NULL };
	const char **names, *near = NULL;
	int i;

	(void)ctl_list(c, NULL, 0, &l, false);
	names = calloc((size_t)l.n + 1, sizeof *names);
	for (i = 0; names != NULL && i < l.n; i++)
		names[i] = l.sv[i].name;
	if (names != NULL)
		near = ctl_nearest(name, names);
	if (near != NULL)
		(void)fprintf(stderr, "; did you mean %s?\n", near);
	else
		(void)fprintf(stderr, "; svctl status lists them\n");
	free(names);
	ctl_list_free(&l);
}

static int
no_service(struct ctl *c, const char *name)
{
	(void)fprintf(stderr, "svctl: no service %s", name);
	suggest(c, name);
	return CTL_NO_SERVICE;
}

int
ctl_tell(struct ctl *c, const struct client_reply *r, const char *err,
    const char *name)
{
	char bad[64];

	if (strcmp(r->error, "org.svtree.NoSuchService") == 0) {
		/* The reply is gone when the next call is made. */
		if (json_str(&r->json, json_get(&r->json, r->params, "name"),
		    bad, sizeof bad) < 0)
			(void)snprintf(bad, sizeof bad, "%s", name != NULL ?
			    name : "?");
		return no_service(c, bad);
	}
	if (strcmp(r->error, "org.svtree.NotPermitted") == 0)
		return not_permitted(c);
	(void)fprintf(stderr, "svctl: %s%s%s\n", name != NULL ? name : "",
	    name != NULL ? ": " : "", err);
	return r->error[0] != '\0' ? CTL_FAILED : CTL_NO_SUPERVISOR;
}

int
ctl_call(struct ctl *c, const char *method, const char *name,
    const char *more_key, const char *more_value, struct client_reply *r)
{
	char mem[512], err[CLIENT_ERR_LEN];
	struct buf b;
	int rc;

	if ((rc = ctl_connect(c)) != CTL_OK)
		return rc;
	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	if (name != NULL)
		json_set_str(&b, "name", name);
	if (more_key != NULL)
		json_set_str(&b, more_key, more_value);
	json_close(&b, '}');
	if (b.overflow) {	/* no name is that long */
		return no_service(c, name);
	}
	if (client_call(&c->client, method, buf_cstr(&b), r, CALL_MS,
	    err) < 0)
		return ctl_tell(c, r, err, name);
	return CTL_OK;
}

static int
ask_status(struct ctl *c, char **name, int n, struct client_reply *r)
{
	char mem[CLIENT_PARAMS_MAX], err[CLIENT_ERR_LEN];
	struct buf b;
	int i;

	if ((i = ctl_connect(c)) != CTL_OK)
		return i;
	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	if (n > 0) {
		json_key(&b, "names");
		json_open(&b, '[');
		for (i = 0; i < n; i++)
			json_put_str(&b, name[i]);
		json_close(&b, ']');
	}
	json_close(&b, '}');
	if (client_call(&c->client, "Status", buf_cstr(&b), r, CALL_MS,
	    err) < 0)
		return ctl_tell(c, r, err, NULL);
	return CTL_OK;
}

/* In turns when a request has no room for all names. */
static int
fetch(struct ctl *c, char **name, int n, ctl_each *each, void *arg,
    bool raw, struct sup *sup)
{
	struct client_reply r;
	const char *text;
	size_t len;
	int i, rc;

	for (i = 0; i == 0 || i < n; i += ASKED_MAX) {
		rc = ask_status(c, name + i, n - i < ASKED_MAX ? n - i :
		    ASKED_MAX, &r);
		if (rc != CTL_OK)
			return rc;
		if (raw) {
			text = json_raw(&r.json, r.params, &len);
			(void)printf("%.*s\n", (int)len, text);
		}
		if (sup != NULL)
			ctl_take_sup(&r.json, json_get(&r.json, r.params,
			    "supervisor"), sup);
		if (each != NULL)
			ctl_walk(&r.json, json_get(&r.json, r.params,
			    "services"), each, arg);
	}
	return CTL_OK;
}

int
ctl_fetch(struct ctl *c, char **name, int n, ctl_each *each, void *arg,
    bool raw)
{
	return fetch(c, name, n, each, arg, raw, NULL);
}

int
ctl_list(struct ctl *c, char **name, int n, struct list *l, bool raw)
{
	l->n = 0;
	return fetch(c, name, n, ctl_gather, l, raw, &l->sup);
}
