/* SPDX-License-Identifier: ISC */
/*
 * What a server's answer is worth, by the type of its probe. Pure: status and
 * body come in. Busy is not dead: 429 and 503 are answers of a living server.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "recover_plan.h"

#define TOKENS	32768	/* hundreds of models */

static const struct {
	const char	*type;
	const char	*path[2];
} paths[] = {
	{ "ollama",	{ "/api/tags", NULL } },
	{ "mlx",	{ "/health", "/api/tags" } },
	{ "openai",	{ "/v1/models", NULL } },
	{ "http",	{ "/", NULL } },
};

/* An MLX server's own word for how it is. */
static const struct {
	const char	*status;
	enum answer	 answer;
} moods[] = {
	{ "healthy",	ANSWER_OK },
	{ "ok",		ANSWER_OK },
	{ "online",	ANSWER_OK },
	{ "warning",	ANSWER_DEGRADED },
	{ "degraded",	ANSWER_BUSY },	/* all slots are taken */
	{ "critical",	ANSWER_DEGRADED },
};

const char *
plan_path(const struct conf_health *h, int n)
{
	size_t i;

	if (h->type == NULL || n < 0 || n > 1)
		return NULL;
	if (h->ready != NULL || h->live != NULL) {
		if (n > 0)
			return NULL;
		return h->ready != NULL ? h->ready : h->live;
	}
	for (i = 0; i < nitems(paths); i++)
		if (strcmp(paths[i].type, h->type) == 0)
			return paths[i].path[n];
	return NULL;
}

/* Does the list (models of Ollama, data of OpenAI) hold a model of the name?
 * "llama3" stands for "llama3:latest", too. */
static bool
has_model(const struct json *j, int list, const char *wanted)
{
	size_t n = strlen(wanted);
	char name[256];
	int v;

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v)) {
		if (json_str(j, json_get(j, v, "name"), name,
		    sizeof name) < 0 && json_str(j, json_get(j, v, "id"),
		    name, sizeof name) < 0)
			continue;
		if (strncmp(name, wanted, n) == 0 && (name[n] == '\0' ||
		    strcmp(name + n, ":latest") == 0))
			return true;
	}
	return false;
}

static enum answer
judge_models(const struct conf_health *h, const struct json *j, int list,
    char *words)
{
	int i;

	if (json_kind(j, list) != JSON_ARRAY) {
		(void)snprintf(words, RECOVER_WORDS,
		    "its answer holds no list of models");
		return ANSWER_WRONG;
	}
	if (json_count(j, list) == 0 && strcmp(h->type, "ollama") == 0) {
		(void)snprintf(words, RECOVER_WORDS, "it has no models: is "
		    "it another user's server, or another store?");
		return ANSWER_WRONG;
	}
	for (i = 0; i < h->models.n; i++)
		if (!has_model(j, list, h->models.v[i])) {
			(void)snprintf(words, RECOVER_WORDS,
			    "the model %.80s is missing", h->models.v[i]);
			return ANSWER_WRONG;
		}
	return ANSWER_OK;
}

static enum answer
judge_mood(const struct json *j, char *words)
{
	char status[24];
	size_t i;

	if (json_str(j, json_get(j, 0, "status"), status, sizeof status) < 0)
		return ANSWER_OK;	/* 200 is all that it says */
	for (i = 0; i < nitems(moods); i++)
		if (strcmp(moods[i].status, status) == 0) {
			if (moods[i].answer != ANSWER_OK)
				(void)snprintf(words, RECOVER_WORDS,
				    "it says: %s", status);
			return moods[i].answer;
		}
	(void)snprintf(words, RECOVER_WORDS, "it says: %s", status);
	return ANSWER_DEAD;
}

static enum answer
judge_body(const struct conf_health *h, const char *body, size_t len,
    char *words)
{
	static struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	struct json j;
	int list;

	if (strcmp(h->type, "http") == 0)
		return ANSWER_OK;
	if (json_parse(&j, body, len, tok, TOKENS, err) < 0) {
		(void)snprintf(words, RECOVER_WORDS,
		    "its answer is no JSON: %.100s", err);
		return ANSWER_WRONG;
	}
	list = json_get(&j, 0, "models");
	if (list < 0)
		list = json_get(&j, 0, "data");
	if (strcmp(h->type, "mlx") == 0 && list < 0)
		return judge_mood(&j, words);
	if (strcmp(h->type, "mlx") == 0 && h->models.n == 0)
		return ANSWER_OK;
	return judge_models(h, &j, list, words);
}

enum answer
plan_judge(const struct conf_health *h, int status, const char *body,
    size_t len, char *words)
{
	words[0] = '\0';
	if (status >= 200 && status < 300)
		return judge_body(h, body, len, words);
	(void)snprintf(words, RECOVER_WORDS, "it answers with status %d",
	    status);
	if (status == 429 || status == 503)
		return ANSWER_BUSY;
	if (status >= 300 && status < 400 && strcmp(h->type, "http") == 0)
		return ANSWER_OK;
	if (status == 404 || status == 405)
		return ANSWER_NONE;
	return status >= 500 ? ANSWER_DEAD : ANSWER_WRONG;
}
