/* SPDX-License-Identifier: ISC */
/*
 * What the answers of LLM servers say. Pure.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl_doctor.h"

#define TOKENS	65536

static struct json_tok *
parse(struct json *j, const char *body, size_t len)
{
	struct json_tok *tok = calloc(TOKENS, sizeof *tok);
	char err[JSON_ERR_LEN];

	if (tok != NULL && json_parse(j, body, len, tok, TOKENS, err) == 0)
		return tok;
	free(tok);
	return NULL;
}

/* Ollama lists "llama3.2:latest" for a model asked for as "llama3.2". */
static bool
is_model(const char *listed, const char *wanted)
{
	size_t n = strlen(wanted);

	return strcmp(listed, wanted) == 0 || (strchr(wanted, ':') == NULL &&
	    strncmp(listed, wanted, n) == 0 &&
	    strcmp(listed + n, ":latest") == 0);
}

static bool
is_listed(const struct json *j, int list, const char *wanted)
{
	char name[256];
	int v;

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v))
		if ((json_str(j, json_get(j, v, "name"), name, sizeof name) ==
		    0 || json_str(j, json_get(j, v, "id"), name,
		    sizeof name) == 0 || json_str(j, v, name, sizeof name) ==
		    0) && is_model(name, wanted))
			return true;
	return false;
}

enum result
body_tags(const char *body, size_t len, const struct conf_list *models,
    char *words, size_t cap)
{
	struct json_tok *tok;
	enum result result = BAD;
	struct json j;
	int list, n, i;

	if ((tok = parse(&j, body, len)) == NULL) {
		(void)snprintf(words, cap, "what it answers is no JSON: "
		    "another program has its port");
		return BAD;
	}
	list = json_get(&j, 0, "models");
	if (json_kind(&j, list) != JSON_ARRAY)
		list = json_get(&j, 0, "data");
	n = json_count(&j, list);
	for (i = 0; models != NULL && i < models->n; i++)
		if (!is_listed(&j, list, models->v[i]))
			break;
	if (json_kind(&j, list) != JSON_ARRAY) {
		(void)snprintf(words, cap, "its answer holds no list of "
		    "models");
	} else if (n == 0) {
		(void)snprintf(words, cap, "it answers, but has no models "
		    "(models: []): it runs as a user who has none");
	} else if (models != NULL && i < models->n) {
		(void)snprintf(words, cap, "it has %d models, but not %s", n,
		    models->v[i]);
	} else {
		(void)snprintf(words, cap, "%d model%s", n, n == 1 ? "" :
		    "s");
		result = FINE;
	}
	free(tok);
	return result;
}

enum result
body_mlx(const char *body, size_t len, char *words, size_t cap)
{
	static const struct {
		const char *status;
		enum result result;
		const char *words;
	} rows[] = {
		{ "healthy", FINE, "healthy" }, { "ok", FINE, "ok" },
		{ "online", FINE, "online" },
		{ "degraded", FINE, "busy: all slots are taken" },
		{ "warning", WARN, "memory is above 85 %" },
		{ "critical", BAD, "memory is above 95 %" },
	};
	struct json_tok *tok;
	char status[32] = "";
	struct json j;
	size_t i;

	if ((tok = parse(&j, body, len)) != NULL)
		(void)json_str(&j, json_get(&j, 0, "status"), status,
		    sizeof status);
	free(tok);
	for (i = 0; i < nitems(rows); i++)
		if (strcmp(rows[i].status, status) == 0) {
			(void)snprintf(words, cap, "%s", rows[i].words);
			return rows[i].result;
		}
	(void)snprintf(words, cap, "it answers%s%s", status[0] != '\0' ?
	    ", status " : "", status);
	return FINE;
}

bool
body_loaded(const char *body, size_t len, char *name, size_t cap)
{
	struct json_tok *tok;
	struct json j;
	bool found;

	if ((tok = parse(&j, body, len)) == NULL)
		return false;
	found = json_str(&j, json_get(&j, json_first(&j, json_get(&j, 0,
	    "models")), "name"), name, cap) == 0 && name[0] != '\0';
	free(tok);
	return found;
}

enum result
body_token(const char *body, size_t len, char *words, size_t cap)
{
	struct json_tok *tok;
	char error[1024] = "";
	struct json j;
	bool done = false;

	if ((tok = parse(&j, body, len)) == NULL) {
		(void)snprintf(words, cap, "what it answers is no JSON");
		return BAD;
	}
	/* Ollama says a text, the OpenAI API an object with one. */
	if (json_str(&j, json_get(&j, 0, "error"), error, sizeof error) < 0)
		(void)json_str(&j, json_path(&j, 0, "error/message"), error,
		    sizeof error);
	done = json_kind(&j, json_get(&j, 0, "choices")) == JSON_ARRAY ||
	    json_get(&j, 0, "response") >= 0 || json_get(&j, 0, "done") >= 0;
	free(tok);
	(void)snprintf(words, cap, "%s", error[0] != '\0' ? error : done ?
	    "it brings a token" : "its answer holds no token");
	return done && error[0] == '\0' ? FINE : BAD;
}

/* "127.0.0.1:11434", "http://[::1]:11434/x", "11434": what stands behind the
 * last colon of the host, or the whole. */
long
port_in(const char *text)
{
	const char *p = strstr(text, "://"), *end, *from;
	char *stop;
	long port;

	p = p != NULL ? p + 3 : text;
	end = p + strcspn(p, "/?#");
	for (from = end; from > p && isdigit((unsigned char)from[-1]);
	    from--)
		continue;
	if (from == end || (from > p && from[-1] != ':'))
		return 0;
	port = strtol(from, &stop, 10);
	return port > 0 && port <= 65535 ? port : 0;
}
