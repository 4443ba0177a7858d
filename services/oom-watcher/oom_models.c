/* SPDX-License-Identifier: ISC */
/*
 * Reads Ollama's list of loaded models and tells the idle ones. Pure: text
 * and a time come in. Who asks, and what is done to the idle, is not known
 * here.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "json.h"
#include "oom_models.h"

#define TOKENS	2048

int
models_parse(struct models *m, const char *text, size_t len)
{
	static struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	struct json j;
	int list, i;

	m->n = 0;
	if (json_parse(&j, text, len, tok, TOKENS, err) < 0)
		return -1;
	list = json_get(&j, 0, "models");
	if (json_kind(&j, list) != JSON_ARRAY)
		return -1;
	for (i = json_first(&j, list); i >= 0 && m->n < MODELS_MAX;
	    i = json_next(&j, list, i))
		if (json_str(&j, json_get(&j, i, "name"), m->v[m->n].name,
		    sizeof m->v[0].name) == 0 &&
		    json_str(&j, json_get(&j, i, "expires_at"),
		    m->v[m->n].expires, sizeof m->v[0].expires) == 0)
			m->n++;
	return 0;
}

/* "Z" or "+01:00", in seconds. */
static int
parse_zone(const char *s, int *seconds)
{
	int hours, minutes;
	char sign;

	*seconds = 0;
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return 0;
	if (sscanf(s, "%c%2d:%2d", &sign, &hours, &minutes) != 3 ||
	    (sign != '+' && sign != '-'))
		return -1;
	*seconds = (hours * 60 + minutes) * 60;
	if (sign == '-')
		*seconds = -*seconds;
	return 0;
}

int64_t
models_time(const char *text)
{
	struct tm tm = { .tm_isdst = 0 };
	int n = 0, zone;

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year,
	    &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
	    &n) != 6)
		return -1;
	text += n;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (parse_zone(text, &zone) < 0)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return ((int64_t)timegm(&tm) - zone) * 1000000;
}

static bool
is_idle(const struct models *before, const char *name, const char *expires,
    int64_t wall_us)
{
	int i;

	if (models_time(expires) <= wall_us)
		return false;
	for (i = 0; i < before->n; i++)
		if (strcmp(before->v[i].name, name) == 0)
			return strcmp(before->v[i].expires, expires) == 0;
	return false;
}

void
models_idle(struct models *now, const struct models *before, int64_t wall_us)
{
	int i, kept = 0;

	for (i = 0; i < now->n; i++)
		if (is_idle(before, now->v[i].name, now->v[i].expires,
		    wall_us))
			now->v[kept++] = now->v[i];
	now->n = kept;
}
