/* SPDX-License-Identifier: ISC */
/*
 * svctl's side of the protocol: one connection for calls, one for events,
 * replies turned into structs, errors into words and exit status.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "svctl.h"

#define CALL_MS	10000

int
ctl_connect(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];

	if (c->client.fd >= 0 || client_open(&c->client, c->run, err) == 0)
		return CTL_OK;
	if (errno == ENOENT || errno == ECONNREFUSED) {
		(void)fprintf(stderr, "svctl: no supervisor is running there "
		    "(%s); start svtree, or name its run directory by --run\n",
		    err);
		return CTL_NO_SUPERVISOR;
	}
	(void)fprintf(stderr, "svctl: %s\n", err);
	return errno == EACCES ? CTL_NOT_PERMITTED : CTL_FAILED;
}

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Changes of one letter that lead from a to b. */
static int
distance(const char *a, const char *b)
{
	int row[64], i, k, corner, above, n = (int)strlen(b);

	if (n > 62)
		return 63;
	for (k = 0; k <= n; k++)
		row[k] = k;
	for (i = 0; a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (k = 0; k < n; k++) {
			above = row[k + 1];
			row[k + 1] = least(corner + (a[i] != b[k]),
			    least(above, row[k]) + 1);
			corner = above;
		}
	}
	return row[n];
}

const char *
ctl_nearest(const char *word, const char *const *list)
{
	int best = 1 + (int)strlen(word) / 2, d;
	const char *found = NULL;

	for (; *list != NULL; list++) {
		d = distance(word, *list);
		if (d < best || (d == best && found == NULL)) {
			best = d;
			found = *list;
		}
	}
	return best > 3 ? NULL : found;
}

struct names {
	char	 text[256][64];
	const char *list[257];
	int	 n;
};

static void
take_name(void *arg, const struct sv *sv)
{
	struct names *names = arg;

	if (names->n == 256)
		return;
	(void)snprintf(names->text[names->n], 64, "%s", sv->name);
	names->list[names->n] = names->text[names->n];
	names->list[++names->n] = NULL;
}

static void
suggest(struct ctl *c, const char *name)
{
	static struct names names;
	const char *near;

	names.n = 0;
	names.list[0] = NULL;
	(void)ctl_fetch(c, NULL, 0, take_name, &names, false);
	near = ctl_nearest(name, names.list);
	if (near != NULL)
		(void)fprintf(stderr, "; did you mean %s?\n", near);
	else
		(void)fprintf(stderr, "; svctl status lists them\n");
}

int
ctl_tell(struct ctl *c, const struct client_reply *r, const char *err,
    const char *name)
{
	if (strcmp(r->error, "org.svtree.NoSuchService") == 0) {
		char bad[64];

		/* The reply is gone when the next call is made. */
		if (name == NULL && json_str(&r->json, json_get(&r->json,
		    r->params, "name"), bad, sizeof bad) == 0)
			name = bad;
		name = name != NULL ? name : "?";
		(void)fprintf(stderr, "svctl: no service %s", name);
		suggest(c, name);
		return CTL_NO_SERVICE;
	}
	(void)fprintf(stderr, "svctl: %s%s%s\n", name != NULL ? name : "",
	    name != NULL ? ": " : "", err);
	if (strcmp(r->error, "org.svtree.NotPermitted") == 0)
		return CTL_NOT_PERMITTED;
	return r->error[0] != '\0' ? CTL_FAILED : CTL_NO_SUPERVISOR;
}

static void
take_needs(const struct json *j, int list, struct sv *sv)
{
	char word[96];
	int v;

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		if (json_str(j, v, word, sizeof word) < 0)
			continue;
		if (sv->needs[0] != '\0')
			(void)strlcat(sv->needs, " ", sizeof sv->needs);
		(void)strlcat(sv->needs, word, sizeof sv->needs);
	}
}

static void
take_service(const struct json *j, int o, struct sv *sv)
{
	int e = json_get(j, o, "last_exit");
#define TEXT(field)	(void)json_str(j, json_get(j, o, #field), \
	sv->field, sizeof sv->field)

	memset(sv, 0, sizeof *sv);
	TEXT(name);
	TEXT(type);
	TEXT(want);
	TEXT(state);
	TEXT(since);
	TEXT(user);
	TEXT(health);
	TEXT(health_text);
	TEXT(text);
	TEXT(reason);
	TEXT(next_at);
	TEXT(description);
#undef TEXT
	(void)json_int(j, json_get(j, o, "pid"), &sv->pid);
	(void)json_int(j, json_get(j, o, "restarts"), &sv->restarts);
	(void)json_bool(j, json_get(j, o, "enabled"), &sv->enabled);
	(void)json_bool(j, json_get(j, o, "adopted"), &sv->adopted);
	take_needs(j, json_get(j, o, "needs"), sv);
	(void)json_str(j, json_get(j, e, "kind"), sv->exit_kind,
	    sizeof sv->exit_kind);
	(void)json_str(j, json_get(j, e, "signal"), sv->exit_signal,
	    sizeof sv->exit_signal);
	(void)json_str(j, json_get(j, e, "at"), sv->exit_at,
	    sizeof sv->exit_at);
	(void)json_int(j, json_get(j, e, "code"), &sv->exit_code);
	(void)json_bool(j, json_get(j, e, "oom"), &sv->oom);
}

void
ctl_walk(const struct json *j, int services, ctl_each *each, void *arg)
{
	struct sv sv;
	int v;

	for (v = json_first(j, services); v >= 0;
	    v = json_next(j, services, v)) {
		take_service(j, v, &sv);
		each(arg, &sv);
	}
}

int
ctl_fetch(struct ctl *c, char **name, int n, ctl_each *each, void *arg,
    bool raw)
{
	char mem[CLIENT_PARAMS_MAX], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;
	const char *text;
	size_t len;
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
	if (client_call(&c->client, "Status", buf_cstr(&b), &r, CALL_MS,
	    err) < 0)
		return ctl_tell(c, &r, err, NULL);
	if (raw) {
		text = json_raw(&r.json, r.params, &len);
		(void)printf("%.*s\n", (int)len, text);
	}
	if (each != NULL)
		ctl_walk(&r.json, json_get(&r.json, r.params, "services"),
		    each, arg);
	return CTL_OK;
}

bool
ctl_is_up(const struct sv *sv)
{
	return strcmp(sv->state, "UP") == 0;
}
