/* SPDX-License-Identifier: ISC */
/*
 * What an engine's answers say: one line of its events, one container. Takes
 * the spellings of Docker (before and after API 1.52) and of Podman.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "docker.h"
#include "json.h"

/* Attributes carry all labels, so values have no bound but the length. */
static struct json_tok *
parse(struct json *j, const char *text, size_t len, char *err)
{
	size_t ntok = len / 2 + 2;
	struct json_tok *tok;

	if (len > HTTP_LINE_MAX) {
		(void)snprintf(err, DOCKER_ERR_LEN, "longer than %d bytes",
		    HTTP_LINE_MAX);
		return NULL;
	}
	if ((tok = calloc(ntok, sizeof *tok)) == NULL) {
		(void)snprintf(err, DOCKER_ERR_LEN, "out of memory");
		return NULL;
	}
	if (json_parse(j, text, len, tok, (int)ntok, err) == 0)
		return tok;
	free(tok);
	return NULL;
}

/* --- events */

/* A number, or a string of one, from least to most; else -1. */
static int
small_number(const struct json *j, int value, int least, int most)
{
	char text[16], *end;
	int64_t n;

	if (json_str(j, value, text, sizeof text) == 0) {
		n = strtol(text, &end, 10);
		if (end == text || *end != '\0')
			return -1;
	} else if (json_int(j, value, &n) < 0) {
		return -1;
	}
	return n < least || n > most ? -1 : (int)n;
}

static void
one_spelling(struct docker_event *e)
{
	static const struct {
		const char *from, *to;
	} words[] = {
		{ "died", "die" },
		{ "remove", "destroy" },
	};
	size_t i;

	for (i = 0; i < nitems(words); i++)
		if (strcmp(e->action, words[i].from) == 0)
			(void)snprintf(e->action, sizeof e->action, "%s",
			    words[i].to);
}

/* Labels share the attributes' names: a key is read only where the action
 * brings it. */
static void
read_attributes(const struct json *j, int at, struct docker_event *e)
{
	bool flag;

	(void)json_str(j, json_get(j, at, "name"), e->name, sizeof e->name);
	if (strcmp(e->action, "die") == 0) {
		e->exit_code = small_number(j, json_get(j, at, "exitCode"),
		    0, 255);
		if (e->exit_code < 0)
			e->exit_code = small_number(j, json_get(j, at,
			    "containerExitCode"), 0, 255);
		e->oom = json_is(j, json_get(j, at, "OOMKilled"), "true") ||
		    (json_bool(j, json_get(j, at, "OOMKilled"), &flag) == 0 &&
		    flag);
	} else if (strcmp(e->action, "kill") == 0) {
		e->signo = small_number(j, json_get(j, at, "signal"), 1, 128);
		if (e->signo < 0)
			e->signo = 0;
	}
}

static int
read_event(const struct json *j, struct docker_event *e)
{
	int64_t s;

	if (json_get(j, 0, "Type") >= 0 &&
	    !json_is(j, json_get(j, 0, "Type"), "container"))
		return -1;
	if (json_str(j, json_get(j, 0, "Action"), e->action,
	    sizeof e->action) < 0 &&
	    json_str(j, json_get(j, 0, "status"), e->action,
	    sizeof e->action) < 0)
		return -1;
	one_spelling(e);
	if (json_str(j, json_path(j, 0, "Actor/ID"), e->id,
	    sizeof e->id) < 0)
		(void)json_str(j, json_get(j, 0, "id"), e->id, sizeof e->id);
	read_attributes(j, json_path(j, 0, "Actor/Attributes"), e);
	if (json_int(j, json_get(j, 0, "timeNano"), &e->time_ns) < 0 &&
	    json_int(j, json_get(j, 0, "time"), &s) == 0 &&
	    s >= 0 && s < INT64_MAX / 1000000000)
		e->time_ns = s * 1000000000;
	return e->name[0] != '\0' || e->id[0] != '\0' ? 0 : -1;
}

int
docker_parse_event(const char *line, size_t len, struct docker_event *e)
{
	char err[DOCKER_ERR_LEN];
	struct json_tok *tok;
	struct json j;
	int rc;

	(void)memset(e, 0, sizeof *e);
	e->exit_code = -1;
	if ((tok = parse(&j, line, len, err)) == NULL)
		return -1;
	rc = read_event(&j, e);
	free(tok);
	return rc;
}

/* --- one container */

static void
copy(const struct json *j, const char *path, char *dst, size_t cap)
{
	(void)json_str(j, json_path(j, 0, path), dst, cap);
}

static int
number(const struct json *j, const char *path)
{
	int64_t n;

	if (json_int(j, json_path(j, 0, path), &n) < 0 || n < INT32_MIN ||
	    n > INT32_MAX)
		return 0;
	return (int)n;
}

/* State.Error holds paths and may be long. */
static void
copy_cut(const struct json *j, const char *path, char *dst, size_t cap)
{
	char text[1024];

	copy(j, path, text, sizeof text);
	(void)snprintf(dst, cap, "%.*s", (int)cap - 1, text);
}

/* Docker keeps up to 4096 bytes of it. On one line here. */
static void
read_said(const struct json *j, char *dst, size_t cap)
{
	int log = json_path(j, 0, "State/Health/Log"), v, last = -1;
	char text[4 * 4096 + 1];
	size_t i, n;

	for (v = json_first(j, log); v >= 0; v = json_next(j, log, v))
		last = v;
	if (json_str(j, json_get(j, last, "Output"), text, sizeof text) < 0)
		return;
	n = strlen(text);
	while (n > 0 && (unsigned char)text[n - 1] <= ' ')
		text[--n] = '\0';
	for (i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == '\177')
			text[i] = ' ';
	buf_fit(dst, cap, text);
}

/* json-file, the default, has no bound of its own. */
static bool
is_endless_log(const struct json *j)
{
	return json_is(j, json_path(j, 0, "HostConfig/LogConfig/Type"),
	    "json-file") && json_kind(j, json_path(j, 0,
	    "HostConfig/LogConfig/Config/max-size")) != JSON_STRING;
}

static void
read_container(const struct json *j, struct docker_container *c)
{
	copy(j, "Id", c->id, sizeof c->id);
	copy(j, "State/Status", c->status, sizeof c->status);
	(void)json_bool(j, json_path(j, 0, "State/OOMKilled"), &c->oom);
	c->exit_code = number(j, "State/ExitCode");
	c->restarts = number(j, "RestartCount");
	copy(j, "State/Health/Status", c->health, sizeof c->health);
	if (strcmp(c->health, "none") == 0)
		c->health[0] = '\0';
	copy(j, "HostConfig/RestartPolicy/Name", c->policy, sizeof c->policy);
	c->policy_max = number(j, "HostConfig/RestartPolicy/MaximumRetryCount");
	copy_cut(j, "State/Error", c->error, sizeof c->error);
	(void)json_bool(j, json_path(j, 0, "Config/Tty"), &c->tty);
	copy(j, "State/StartedAt", c->started, sizeof c->started);
	copy(j, "State/FinishedAt", c->finished, sizeof c->finished);
	read_said(j, c->said, sizeof c->said);
	c->endless_log = is_endless_log(j);
	if (json_int(j, json_path(j, 0, "HostConfig/Memory"), &c->memory) < 0)
		c->memory = 0;
}

int
docker_parse_container(const char *text, size_t len,
    struct docker_container *c, char *err)
{
	struct json_tok *tok;
	struct json j;

	(void)memset(c, 0, sizeof *c);
	if ((tok = parse(&j, text, len, err)) == NULL)
		return -1;
	read_container(&j, c);
	free(tok);
	if (c->status[0] == '\0') {
		(void)snprintf(err, DOCKER_ERR_LEN,
		    "an answer without State.Status");
		return -1;
	}
	c->exists = true;
	return 0;
}
