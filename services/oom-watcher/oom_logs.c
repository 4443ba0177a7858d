/* SPDX-License-Identifier: ISC */
/*
 * Looks at the directories of the logs: sizes and names of files, never what
 * is in them. What a size means is oom_growth.c's.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_growth.h"
#include "oom_logs.h"
#include "oom_tell.h"

#define LOGS		256	/* services; more are not looked at */
#define NAME_LEN	48	/* of a rotated file */

static struct one {
	char	 name[CONF_NAME_MAX + 1];
	char	 newest[NAME_LEN];	/* rotated file that is known */
	struct growth growth;
} table[LOGS];
static int64_t at_ms;

/* One that svlog has rotated: 20261124T101500.123456Z.log; a compressed one
 * had the largest size before. */
static int64_t
rotated_size(const char *name, int64_t size, const struct conf_log *conf)
{
	const char *tail = strrchr(name, '.');

	if (strlen(name) >= NAME_LEN || name[0] < '0' || name[0] > '9' ||
	    tail == NULL)
		return -1;
	return strcmp(tail, ".log") == 0 ? size : conf->max_size;
}

static void
take_file(struct one *o, const struct dirent *e, const struct stat *st,
    const struct conf_log *conf, char *newest, struct log_look *look)
{
	int64_t size;

	look->all += st->st_size;
	if (strcmp(e->d_name, "current") == 0) {
		look->file = (uint64_t)st->st_ino;
		look->size = st->st_size;
		return;
	}
	size = rotated_size(e->d_name, st->st_size, conf);
	if (size < 0 || strcmp(e->d_name, o->newest) <= 0)
		return;
	look->rotated += size;
	if (strcmp(e->d_name, newest) > 0)
		(void)strlcpy(newest, e->d_name, NAME_LEN);
}

/* 0, or -1: it has no log there. */
static int
look_at(const char *dir, struct one *o, const struct conf_log *conf,
    struct log_look *look)
{
	char path[1200], newest[NAME_LEN];
	struct dirent *e;
	struct stat st;
	size_t n;
	DIR *d;

	*look = (struct log_look){ .size = 0 };
	n = (size_t)snprintf(path, sizeof path, "%.1000s/%.48s/", dir,
	    o->name);
	if ((d = opendir(path)) == NULL)
		return -1;
	(void)strlcpy(newest, o->newest, sizeof newest);
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path + n, sizeof path - n, "%.64s", e->d_name);
		if (lstat(path, &st) == 0 && S_ISREG(st.st_mode))
			take_file(o, e, &st, conf, newest, look);
	}
	(void)closedir(d);
	(void)strlcpy(o->newest, newest, sizeof o->newest);
	return 0;
}

static int64_t
kept_bytes(const struct conf_log *conf)
{
	int64_t files = conf->max_size * (conf->keep + 1);

	return files < conf->total ? files : conf->total;
}

static void
judge(struct one *o, const struct conf_log *conf, const struct log_look *look,
    int64_t now_ms)
{
	enum growth_news news;
	char words[160], text[120], rate[24];
	struct report r = { .incident = words, .text = text };

	news = growth_take(&o->growth, look, kept_bytes(conf), now_ms);
	if (news == GROWTH_NONE)
		return;
	growth_words(&o->growth, news, kept_bytes(conf), words,
	    sizeof words);
	bytes_words(o->growth.rate, rate, sizeof rate);
	text[0] = '\0';
	if (news == GROWTH_FAST)
		(void)snprintf(text, sizeof text, "log grows by %s a minute: "
		    "svctl logs %.48s", rate, o->name);
	log_info("%s: %s", o->name, words);
	(void)tell_send(o->name, &r);
}

/* The entry of the name; a new one begins as nothing. */
static struct one *
one_of(const char *name)
{
	struct one *o;

	for (o = table; o < table + LOGS && o->name[0] != '\0'; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	if (o == table + LOGS)
		return NULL;
	(void)strlcpy(o->name, name, sizeof o->name);
	return o;
}

int64_t
logs_step(const char *dir, int64_t every_ms, int64_t now_ms)
{
	const struct conf_log *conf;
	struct log_look look;
	const char *name;
	struct one *o;
	int i;

	if (dir == NULL)
		return INT64_MAX;
	if (now_ms < at_ms)
		return at_ms;
	at_ms = now_ms + every_ms;
	for (i = 0; (conf = oom_conf_log(i, &name)) != NULL; i++) {
		if ((o = one_of(name)) == NULL)
			continue;
		if (look_at(dir, o, conf, &look) == 0)
			judge(o, conf, &look, now_ms);
		else
			o->growth = (struct growth){ .fast = false };
	}
	return at_ms;
}

void
logs_size(const char *dir, struct logs_size *s)
{
	const struct conf_log *conf;
	struct log_look look;
	const char *name;
	struct one o;
	int i;

	*s = (struct logs_size){ .name = "" };
	for (i = 0; (conf = oom_conf_log(i, &name)) != NULL; i++) {
		o = (struct one){ .newest = "" };
		(void)strlcpy(o.name, name, sizeof o.name);
		if (look_at(dir, &o, conf, &look) < 0)
			continue;
		s->all += look.all;
		if (look.all > s->largest) {
			s->largest = look.all;
			s->name = name;
		}
	}
}
