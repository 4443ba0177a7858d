/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONF_KINDS_H
#define SVTREE_CONF_KINDS_H

#include "conf_private.h"

/* Kinds of values: what is right, and how it is stored. */
enum conf_kind {
	KIND_TEXT, KIND_PATH, KIND_URL, KIND_NAME, KIND_WORDS, KIND_NEEDS,
	KIND_CODES, KIND_DURATION, KIND_SIZE, KIND_COUNT, KIND_PORT,
	KIND_BOOL, KIND_FLAG, KIND_CHOICE, KIND_SIGNAL, KIND_LIMIT, KIND_READY,
	KIND_MODE, KIND_NICE, KIND_SCORE, KIND_PATHS, KIND_SOCKETS,
	KIND_MAX
};

/* Where a value lies: in the service itself, or in what it points to. */
enum conf_group { IN_SERVICE, IN_RARE, IN_LOG, IN_HEALTH, IN_CONTAINER,
	IN_DOCKER, IN_MAX };

struct conf_key {
	const char	*section, *key;
	enum conf_kind	 kind;
	enum conf_group	 group;
	size_t		 offset;	/* there */
	const char *const *choice;	/* words of CHOICE, NAME and FLAG */
	const char	*help;
};

/* Text to the field at where; false: not right. */
typedef bool conf_set_to(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where);
/* conf_numbers.c */
conf_set_to conf_set_duration, conf_set_size, conf_set_count, conf_set_port,
    conf_set_bool, conf_set_mode, conf_set_nice, conf_set_score,
    conf_set_signal, conf_set_restart_limit;
conf_set_to conf_set_sockets;	/* conf_sockets.c */

/* conf_keys.c: a row of the table, NULL behind the last; its number or -1. */
const struct conf_key *conf_key_at(int i);
int conf_key_find(const char *section, const char *key);

/* conf_groups.c: where a key's value goes, NULL when there is no memory for
 * its section; its value in a service that has only defaults. */
void *conf_place(struct conf_reader *rd, const struct conf_key *key);
const void *conf_default(const struct conf_service *sv,
    const struct conf_key *key);

const char *conf_kind_name(enum conf_kind kind);
/* Parses value and stores it at where; what is wrong is reported. */
void conf_set_kind(struct conf_reader *rd, const struct conf_key *key,
    const char *value, void *where);
void conf_set_environment(struct conf_reader *rd, const char *name,
    const char *value);
void conf_set_limit(struct conf_reader *rd, const char *name,
    const char *value);

/* conf_show.c: the default as it would be written, "" when there is none. */
void conf_show_default(const struct conf_key *key, char *dst, size_t cap);

#endif
