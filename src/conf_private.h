/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONF_PRIVATE_H
#define SVTREE_CONF_PRIVATE_H

#include <dirent.h>
#include <stdio.h>

#include "conf.h"

/* What the files of conf_*.c share: memory, errors with their place. */
#define CONF_WORDS_MAX	128	/* words of one value */
#define CONF_KEYS_MAX	128
#define CONF_VALUE_MAX	4096	/* bytes of one value */

struct conf_reader {
	struct conf_tree *tree;
	struct conf_service *sv;
	conf_report	*report;
	void		*arg;
	int		 errors;
	int		 line;		/* being read, 0: no line */
	struct conf_list *instances;	/* of a template: all else is skipped */
	int		 seen[CONF_KEYS_MAX]; /* line of each key given */
};

/* From the tree's own memory, zeroed; NULL when there is none. */
void *conf_alloc(struct conf_tree *t, size_t n);
char *conf_copy(struct conf_tree *t, const char *text);
/* "NAME/service.conf:LINE: ..." to the report. */
void conf_error(struct conf_reader *rd, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The same at the line where the key was given. */
void conf_error_at(struct conf_reader *rd, const char *section,
    const char *key, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* conf.c: reads settings until the end of the file. */
void conf_read_file(struct conf_reader *rd, FILE *file);

/* conf_dir.c */
void conf_read_settings(struct conf_reader *rd);
bool conf_has(const char *dir, const char *name, int mode);
uint64_t conf_mix(uint64_t h, const void *bytes, size_t n);
/* conf_list.c: all services, sorted, not read yet. 0, or -1: no memory. */
int conf_list(struct conf_reader *rd, DIR *d);
/* conf_expand.c: the value with its % expanded, maybe in mem; NULL when that
 * was wrong and is reported. */
const char *conf_expand(struct conf_reader *rd, const char *key,
    const char *value, char *mem, size_t cap);

/* conf_keys.c: one setting; errors are reported. */
void conf_set(struct conf_reader *rd, const char *section, const char *key,
    const char *value);
void conf_defaults(struct conf_service *sv);
/* conf_logger.c: what is different for NAME/log, and for NAME. */
void conf_logger_defaults(struct conf_service *sv);
void conf_check_logger(struct conf_reader *rd);
int conf_line_of(const struct conf_reader *rd, const char *section,
    const char *key);

/* conf_groups.c: it has none of the sections that few services have. */
void conf_no_groups(struct conf_service *sv);

/* conf_value.c: text to a list in the tree's memory. 0, or -1 reported. */
int conf_words(struct conf_reader *rd, const char *key, const char *text,
    struct conf_list *list);

/* conf_health.c */
void conf_check_health(struct conf_reader *rd);

/* conf_check.c */
/* A program by absolute path or by a name in conf_default_path. */
void conf_check_program(struct conf_reader *rd, const char *section,
    const char *key, const char *program);
/* conf_check_run.c: what its processes are given. */
void conf_check_run(struct conf_reader *rd);
void conf_check_service(struct conf_reader *rd);
void conf_check_tree(struct conf_reader *rd);
bool conf_name_is_good(const char *name);

#endif
