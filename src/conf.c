/* SPDX-License-Identifier: ISC */
/*
 * One service.conf, and the memory that a tree is read into: given back at
 * once. The only file that includes inih, whose parser sees lines
 * prepared by a reader of our own: it counts them, refuses what inih would
 * cut in silence, and hides every ';' that inih would take for a comment.
 */
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_private.h"

/* The build names the directories of its own prefix. */
#ifndef SVTREE_DEFAULT_PATH
#define SVTREE_DEFAULT_PATH	"/usr/local/libexec/svtree:" \
	"/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
#endif

#define LINE_MAX_BYTES	190	/* inih's own limit is 199 */
#define HIDDEN		'\x01'

/* Memory is got in pieces and given out in order: most words are short. */
#define PIECE	8192

struct chunk {
	struct chunk	*next;
	size_t		 used, cap;
	_Alignas(16) char bytes[];
};

static struct chunk *
add_chunk(struct conf_tree *t, size_t n)
{
	struct chunk *first = t->memory, *c;
	size_t cap = n > PIECE / 4 ? n : PIECE - sizeof *c;

	c = calloc(1, sizeof *c + cap);
	if (c == NULL)
		return NULL;
	c->cap = cap;
	if (first != NULL && cap == n) {	/* the first one has room yet */
		c->next = first->next;
		first->next = c;
	} else {
		c->next = first;
		t->memory = c;
	}
	return c;
}

static void *
take_bytes(struct conf_tree *t, size_t n, size_t align)
{
	struct chunk *c = t->memory;
	size_t at = c == NULL ? 0 : (c->used + align - 1) / align * align;

	if (c == NULL || at > c->cap || n > c->cap - at) {
		if ((c = add_chunk(t, n)) == NULL)
			return NULL;
		at = 0;
	}
	c->used = at + n;
	return c->bytes + at;
}

void *
conf_alloc(struct conf_tree *t, size_t n)
{
	return take_bytes(t, n, 16);
}

char *
conf_copy(struct conf_tree *t, const char *text)
{
	size_t n = strlen(text) + 1;
	char *s = take_bytes(t, n, 1);

	if (s != NULL)
		memcpy(s, text, n);
	return s;
}

void
conf_free(struct conf_tree *t)
{
	struct chunk *c = t->memory, *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
	free(t->service);
	memset(t, 0, sizeof *t);
}

static void say(struct conf_reader *rd, int line, const char *fmt,
    va_list ap) __attribute__((format(printf, 3, 0)));

static void
say(struct conf_reader *rd, int line, const char *fmt, va_list ap)
{
	char text[CONF_ERR_LEN], *what = text;
	size_t n;

	rd->errors++;
	text[0] = '\0';
	if (rd->sv != NULL) {
		(void)snprintf(text, sizeof text, "%s%s", rd->sv->name,
		    line > 0 ? "/" : ": ");
		what += strlen(text);
	}
	if (rd->sv != NULL && line > 0)
		(void)snprintf(what, 32, "service.conf:%d: ", line);
	n = strlen(text);
	(void)vsnprintf(text + n, sizeof text - n, fmt, ap);
	if (rd->sv != NULL && rd->sv->broken == NULL)
		rd->sv->broken = conf_copy(rd->tree, what);
	if (rd->report != NULL)
		rd->report(rd->arg, text);
}

void
conf_error(struct conf_reader *rd, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(rd, rd->line, fmt, ap);
	va_end(ap);
}

void
conf_error_at(struct conf_reader *rd, const char *section, const char *key,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(rd, conf_line_of(rd, section, key), fmt, ap);
	va_end(ap);
}

const char *
conf_default_path(void)
{
	const char *path = getenv("SVTREE_PATH");

	return path != NULL && path[0] != '\0' ? path : SVTREE_DEFAULT_PATH;
}

struct conf_service *
conf_find(const struct conf_tree *t, const char *name)
{
	int low = 0, high = t->n - 1, mid, c;

	while (low <= high) {
		mid = (low + high) / 2;
		c = strcmp(name, t->service[mid].name);
		if (c == 0)
			return &t->service[mid];
		if (c < 0)
			high = mid - 1;
		else
			low = mid + 1;
	}
	return NULL;
}

/* --- one service.conf */

struct source {
	FILE	*file;
	struct conf_reader *rd;
	bool	 indented;	/* the line goes on with the one before */
};

/* inih's reader: the next line, made harmless. */
static char *
next_line(char *dst, int cap, void *arg)
{
	struct source *s = arg;
	char line[4096], *p;
	size_t n;

	if (fgets(line, sizeof line, s->file) == NULL)
		return NULL;
	s->rd->line++;
	n = strlen(line);
	if (n > LINE_MAX_BYTES || (int)n >= cap) {
		conf_error(s->rd, "the line is longer than %d bytes; go on in "
		    "the next line, indented", LINE_MAX_BYTES);
		while (n > 0 && line[n - 1] != '\n' &&
		    fgets(line, sizeof line, s->file) != NULL)
			n = strlen(line);
		(void)snprintf(dst, (size_t)cap, "#\n");
		return dst;
	}
	memcpy(dst, line, n + 1);
	p = dst + strspn(dst, " \t");
	s->indented = p > dst;
	for (p += *p == ';'; *p != '\0'; p++)
		if (*p == ';')
			*p = HIDDEN;
	return dst;
}

static void
unhide(char *dst, size_t cap, const char *value)
{
	char *p;

	(void)snprintf(dst, cap, "%s", value);
	for (p = dst; *p != '\0'; p++)
		if (*p == HIDDEN)
			*p = ';';
}

/* One setting, until it is clear that no further line belongs to it. */
struct pending {
	struct source s;
	char	section[64], key[96];
	char	value[CONF_VALUE_MAX];
	int	line;
};

static void
flush(struct pending *p)
{
	struct conf_reader *rd = p->s.rd;
	int line = rd->line;

	if (p->key[0] == '\0')
		return;
	rd->line = p->line;
	conf_set(rd, p->section, p->key, p->value);
	rd->line = line;
	p->key[0] = '\0';
}

/* inih's handler. An indented line comes under the name of the one before. */
static int
take(void *arg, const char *section, const char *name, const char *value)
{
	struct pending *p = arg;
	char text[LINE_MAX_BYTES + 16];

	unhide(text, sizeof text, value);
	if (p->s.indented && p->key[0] != '\0') {
		if (strlen(p->value) + strlen(text) + 2 > sizeof p->value) {
			conf_error(p->s.rd, "%s: too long", p->key);
			return 1;
		}
		(void)strlcat(p->value, " ", sizeof p->value);
		(void)strlcat(p->value, text, sizeof p->value);
		return 1;
	}
	flush(p);
	if (section[0] == '\0') {
		conf_error(p->s.rd, "%s stands before any section; begin with "
		    "[service]", name);
		return 1;
	}
	(void)snprintf(p->section, sizeof p->section, "%s", section);
	unhide(p->key, sizeof p->key, name);
	(void)snprintf(p->value, sizeof p->value, "%s", text);
	p->line = p->s.rd->line;
	return 1;
}

void
conf_read_file(struct conf_reader *rd, FILE *file)
{
	struct pending p = { .s = { .file = file, .rd = rd } };
	int bad, errors = rd->errors;

	bad = ini_parse_stream(next_line, &p.s, take, &p);
	flush(&p);
	if (bad != 0 && rd->errors == errors) {
		rd->line = bad > 0 ? bad : 1;
		conf_error(rd, "neither [section] nor key = value");
	}
	rd->line = 0;
}
