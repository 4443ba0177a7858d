/* SPDX-License-Identifier: ISC */
/*
 * Kinds of values: text in, field out, and in words what would be right.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "conf_kinds.h"

static bool
copy(struct conf_reader *rd, const struct conf_key *key, const char *value,
    void *where)
{
	(void)key;
	*(char **)where = conf_copy(rd->tree, value);
	return value[0] != '\0';
}

static bool
set_path(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	return value[0] == '/' && copy(rd, key, value, where);
}

static bool
set_url(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	return (strncmp(value, "http://", 7) == 0 ||
	    strncmp(value, "tcp://", 6) == 0) && copy(rd, key, value, where);
}

static bool
set_words(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	struct conf_list *list = where;

	(void)conf_words(rd, key->key, value, list);
	return list->n > 0;
}

static bool
set_codes(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	struct conf_list *list = where;
	const char *wrong = NULL;
	int i;

	(void)conf_words(rd, key->key, value, list);
	for (i = 0; i < list->n && wrong == NULL; i++)
		(void)strtonum(list->v[i], 0, 255, &wrong);
	return list->n > 0 && wrong == NULL;
}

static bool
set_needs(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	struct conf_needs *needs = where;
	struct conf_list words = { NULL, 0 };
	char *suffix;
	int i;

	(void)conf_words(rd, key->key, value, &words);
	needs->v = conf_alloc(rd->tree,
	    ((size_t)words.n + 1) * sizeof *needs->v);
	if (needs->v == NULL)
		return false;
	for (i = 0; i < words.n; i++) {
		suffix = strchr(words.v[i], ':');
		if (suffix != NULL && strcmp(suffix, ":healthy") != 0)
			return false;
		if (suffix != NULL)
			*suffix = '\0';
		needs->v[i].name = words.v[i];
		needs->v[i].healthy = suffix != NULL;
	}
	needs->n = words.n;
	return words.n > 0;
}

/* Absolute ones, each maybe after a '-': it need not be there. */
static bool
set_paths(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	struct conf_list *list = where;
	int i;

	(void)conf_words(rd, key->key, value, list);
	for (i = 0; i < list->n; i++)
		if (list->v[i][list->v[i][0] == '-'] != '/')
			return false;
	return list->n > 0;
}

static int
index_of(const struct conf_key *key, const char *value)
{
	int i;

	for (i = 0; key->choice[i] != NULL; i++)
		if (strcmp(key->choice[i], value) == 0)
			return i;
	return -1;
}

static bool
set_choice(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	int i = index_of(key, value);

	(void)rd;
	if (i >= 0)
		*(int *)where = i;	/* enums are int here: see below */
	return i >= 0;
}

_Static_assert(sizeof(enum conf_type) == sizeof(int) &&
    sizeof(enum conf_restart) == sizeof(int) &&
    sizeof(enum conf_kill) == sizeof(int), "set_choice writes an int");

static bool
set_flag(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	int i = index_of(key, value);

	(void)rd;
	*(bool *)where = i == 1;
	return i >= 0;
}

static bool
set_name(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	return index_of(key, value) >= 0 && copy(rd, key, value, where);
}

static bool
set_ready(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	static const char *const words[] = { "none", "notify", "fd", "check" };
	const char *wrong = "";
	size_t i;

	(void)key;
	if (strncmp(value, "fd:", 3) == 0) {
		rd->sv->ready_fd = (int)strtonum(value + 3, 3, 255, &wrong);
		*(enum conf_ready *)where = READY_FD;
		return wrong == NULL;
	}
	for (i = 0; i < nitems(words); i++)
		if (i != READY_FD && strcmp(value, words[i]) == 0) {
			*(enum conf_ready *)where = (enum conf_ready)i;
			return true;
		}
	return false;
}

static const struct {
	conf_set_to	*set;
	const char	*name, *right;
} kinds[KIND_MAX] = {
	[KIND_TEXT] = { copy, "text", "some text" },
	[KIND_PATH] = { set_path, "path", "an absolute path" },
	[KIND_URL] = { set_url, "url", "http://HOST:PORT or tcp://HOST:PORT" },
	[KIND_NAME] = { set_name, "word", NULL },
	[KIND_WORDS] = { set_words, "words", "one word or more" },
	[KIND_NEEDS] = { set_needs, "services",
	    "names of services, each maybe with :healthy" },
	[KIND_CODES] = { set_codes, "exit codes", "numbers from 0 to 255" },
	[KIND_DURATION] = { conf_set_duration, "duration",
	    "a duration such as 250ms, 10s, 5m or 1h30m" },
	[KIND_SIZE] = { conf_set_size, "size",
	    "a size such as 64K, 10M or 1G, at least 4K" },
	[KIND_COUNT] = { conf_set_count, "count",
	    "a number from 1 to 1000000" },
	[KIND_PORT] = { conf_set_port, "port", "a number from 1 to 65535" },
	[KIND_BOOL] = { conf_set_bool, "yes or no", "yes or no" },
	[KIND_FLAG] = { set_flag, "word", NULL },
	[KIND_CHOICE] = { set_choice, "word", NULL },
	[KIND_SIGNAL] = { conf_set_signal, "signal",
	    "a signal such as TERM, SIGINT or 15" },
	[KIND_LIMIT] = { conf_set_restart_limit, "limit",
	    "COUNT or COUNT/WINDOW such as 10/5m" },
	[KIND_READY] = { set_ready, "readiness",
	    "none, notify, fd:N (3 to 255) or check" },
	[KIND_MODE] = { conf_set_mode, "mode",
	    "an octal number such as 022 or 0660" },
	[KIND_NICE] = { conf_set_nice, "priority",
	    "a number from -20 to 19" },
	[KIND_SCORE] = { conf_set_score, "score",
	    "a number from -1000 to 1000" },
	[KIND_SOCKETS] = { conf_set_sockets, "addresses",
	    "up to 16 addresses such as 127.0.0.1:80, [::1]:80, *:80 or "
	    "/run/x, each maybe as NAME=ADDRESS" },
	[KIND_PATHS] = { set_paths, "paths",
	    "absolute paths, each maybe after a '-' when it may be missing" },
};

const char *
conf_kind_name(enum conf_kind kind)
{
	return kinds[kind].name;
}

static void
refuse(struct conf_reader *rd, const struct conf_key *key, const char *value)
{
	char words[160];
	struct buf b;
	int i;

	buf_init(&b, words, sizeof words);
	if (kinds[key->kind].right != NULL) {
		buf_puts(&b, kinds[key->kind].right);
	} else {
		for (i = 0; key->choice[i] != NULL; i++)
			buf_printf(&b, "%s%s", i == 0 ? "" :
			    key->choice[i + 1] == NULL ? " or " : ", ",
			    key->choice[i]);
	}
	conf_error(rd, "%s: '%.80s' is not right; it wants %s", key->key,
	    value, buf_cstr(&b));
}

void
conf_set_kind(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where)
{
	if (!kinds[key->kind].set(rd, key, value, where))
		refuse(rd, key, value);
}
