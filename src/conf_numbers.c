/* SPDX-License-Identifier: ISC */
/*
 * Kinds of values that are numbers in the end: text in, field out. true when
 * the text is right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_kinds.h"

#define COUNT_MAX	1000000

bool
conf_set_duration(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	*(int64_t *)where = conf_duration(value);
	return *(int64_t *)where >= 0;
}

bool
conf_set_size(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	*(int64_t *)where = conf_size(value);
	return *(int64_t *)where >= 4096;
}

static bool
in_range(const char *value, int64_t least, int64_t most, int64_t *n)
{
	const char *wrong;

	*n = strtonum(value, least, most, &wrong);
	return wrong == NULL;
}

bool
conf_set_count(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	return in_range(value, 1, COUNT_MAX, where);
}

bool
conf_set_port(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	return in_range(value, 1, 65535, where);
}

bool
conf_set_bool(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	*(bool *)where = strcmp(value, "yes") == 0 ||
	    strcmp(value, "true") == 0;
	return *(bool *)where || strcmp(value, "no") == 0 ||
	    strcmp(value, "false") == 0;
}

bool
conf_set_mode(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	size_t n = strspn(value, "01234567");

	(void)rd;
	(void)key;
	*(int *)where = (int)strtol(value, NULL, 8);
	return n >= 3 && n <= 4 && value[n] == '\0' &&
	    *(int *)where <= 0777;
}

bool
conf_set_nice(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	int64_t number;
	bool good = in_range(value, -20, 19, &number);

	(void)rd;
	(void)key;
	*(int *)where = (int)number;
	return good;
}

bool
conf_set_score(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	int64_t number;
	bool good = in_range(value, -1000, 1000, &number);

	(void)rd;
	(void)key;
	*(int *)where = (int)number;
	return good;
}

bool
conf_set_signal(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	(void)rd;
	(void)key;
	*(int *)where = conf_signal(value);
	return *(int *)where > 0;
}

bool
conf_set_restart_limit(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	const char *slash = strchr(value, '/'), *wrong;
	char count[32];
	int64_t window;

	(void)key;
	(void)snprintf(count, sizeof count, "%.*s", slash != NULL ?
	    (int)(slash - value) : 31, value);
	*(int64_t *)where = strtonum(count, 0, 65534, &wrong);
	if (wrong != NULL || slash == NULL)
		return wrong == NULL;
	window = conf_duration(slash + 1);
	if (window > 0)
		rd->sv->restart_window_ms = window;
	return window > 0;
}
