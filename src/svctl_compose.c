/* SPDX-License-Identifier: ISC */
/*
 * Compose files, the little that is wanted of them: see the header.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "svctl_compose.h"

#define DEPTH		16
#define LINE_LEN	1024

struct level {
	int	 indent;
	char	 key[64];
};

struct reader {
	struct compose *c;
	struct level level[DEPTH];
	int	 depth, line;
	int	 block;		/* indent of a key with a block scalar, -1 */
	char	*err;
};

static int
fail(const struct reader *r, const char *why)
{
	(void)snprintf(r->err, COMPOSE_ERR_LEN, "%d: %s", r->line, why);
	return -1;
}

/* Cuts a comment; a # within quotes or a word is none. */
static void
cut_comment(char *text)
{
	char quote = '\0';
	char *p;

	for (p = text; *p != '\0'; p++) {
		if (quote != '\0') {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '\'' || *p == '"') {
			quote = *p;
		} else if (*p == '#' && (p == text || isspace(
		    (unsigned char)p[-1]))) {
			*p = '\0';
			return;
		}
	}
}

static void
trim(char *text)
{
	size_t n = strlen(text);

	while (n > 0 && isspace((unsigned char)text[n - 1]))
		text[--n] = '\0';
}

/* Without quotes, anchors and tags around it. */
static void
take_scalar(const char *text, char *dst, size_t cap)
{
	size_t n;

	while (*text == ' ' || *text == '&' || *text == '!') {
		if (*text != ' ')
			text += strcspn(text, " ");
		while (*text == ' ')
			text++;
	}
	n = strlen(text);
	if (n >= 2 && (*text == '"' || *text == '\'') &&
	    text[n - 1] == *text) {
		text++;
		n -= 2;
	}
	(void)snprintf(dst, cap, "%.*s", (int)n, text);
}

/* Where the key of "key: value" ends, or NULL: no mapping. */
static char *
find_colon(char *text)
{
	char quote = *text == '"' || *text == '\'' ? *text : '\0';
	char *p = text + (quote != '\0');

	for (; *p != '\0'; p++) {
		if (quote != '\0') {
			if (*p == quote)
				quote = '\0';
		} else if (*p == ':' && (p[1] == ' ' || p[1] == '\0')) {
			return p;
		} else if (*p == '{' || *p == '[') {
			return NULL;
		}
	}
	return NULL;
}

static bool
is_path(const struct reader *r, const char *first)
{
	return r->depth > 0 && strcmp(r->level[0].key, first) == 0;
}

static void
take_key(struct reader *r, const char *key, const char *value)
{
	struct compose_service *s;

	if (r->depth == 1 && strcmp(key, "name") == 0)
		take_scalar(value, r->c->project, sizeof r->c->project);
	if (!is_path(r, "services") || r->depth < 3 || r->c->n == 0)
		return;
	s = &r->c->service[r->c->n - 1];
	if (r->depth == 3 && strcmp(key, "container_name") == 0)
		take_scalar(value, s->container, sizeof s->container);
	else if (r->depth == 3 && strcmp(key, "restart") == 0)
		take_scalar(value, s->restart, sizeof s->restart);
	else if (strcmp(key, "mem_limit") == 0 || strcmp(key, "memory") == 0)
		s->memory = true;
}

static int
add_service(struct reader *r, const char *key, const char *value)
{
	struct compose_service *s;

	if (value[0] == '{')
		return fail(r, "a service in braces; written line by line it "
		    "is understood");
	if (r->c->n == COMPOSE_SERVICES)
		return fail(r, "too many services");
	s = &r->c->service[r->c->n++];
	memset(s, 0, sizeof *s);
	(void)snprintf(s->name, sizeof s->name, "%s", key);
	s->line = r->line;
	return 0;
}

static int
take_mapping(struct reader *r, int indent, char *text, char *colon)
{
	char key[64], *value = colon + 1;
	struct level *l;

	*colon = '\0';
	while (*value == ' ')
		value++;
	take_scalar(text, key, sizeof key);
	while (r->depth > 0 && r->level[r->depth - 1].indent >= indent)
		r->depth--;
	if (r->depth == DEPTH)
		return fail(r, "too deep");
	l = &r->level[r->depth++];
	l->indent = indent;
	(void)snprintf(l->key, sizeof l->key, "%s", key);
	if (*value == '|' || *value == '>')
		r->block = indent;
	if (is_path(r, "services") && r->depth == 1 && *value == '{')
		return fail(r, "services in braces; written line by line they "
		    "are understood");
	if (is_path(r, "services") && r->depth == 2)
		return add_service(r, key, value);
	take_key(r, key, value);
	return 0;
}

static int
take_line(struct reader *r, char *text)
{
	struct compose_service *s = r->c->n > 0 ?
	    &r->c->service[r->c->n - 1] : NULL;
	int indent;
	char *colon;

	indent = (int)strspn(text, " ");
	if (text[indent] == '\t')
		return fail(r, "a tab before the text; YAML wants blanks");
	if (r->block >= 0 && (indent > r->block || text[indent] == '\0'))
		return 0;
	r->block = -1;
	cut_comment(text);
	trim(text);
	if (text[0] == '\0' || (size_t)indent >= strlen(text) ||
	    strncmp(text, "---", 3) == 0 || text[0] == '%')
		return 0;
	if (s != NULL && is_path(r, "services") && indent > 0 &&
	    (strcasestr(text, "ollama") != NULL ||
	    strstr(text, "11434") != NULL))
		s->ollama = true;
	text += indent;
	while (text[0] == '-' && (text[1] == ' ' || text[1] == '\0')) {
		if (text[1] == '\0')
			return 0;
		indent += 2;
		text += 2 + strspn(text + 2, " ");
	}
	if ((colon = find_colon(text)) == NULL)
		return 0;	/* an item, or the next line of a scalar */
	return take_mapping(r, indent, text, colon);
}

int
compose_read(const char *text, size_t len, struct compose *c, char *err)
{
	struct reader r = { .c = c, .block = -1, .err = err };
	const char *end = text + len, *eol;
	char line[LINE_LEN];

	memset(c, 0, sizeof *c);
	for (; text < end; text = eol + 1) {
		r.line++;
		eol = memchr(text, '\n', (size_t)(end - text));
		if (eol == NULL)
			eol = end;
		(void)snprintf(line, sizeof line, "%.*s", (int)(eol - text),
		    text);
		trim(line);
		if (take_line(&r, line) < 0)
			return -1;
	}
	if (c->n == 0)
		return fail(&r, "no services: this is no compose file");
	return 0;
}

struct compose_service *
compose_find(struct compose *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (strcmp(c->service[i].name, name) == 0 ||
		    strcmp(c->service[i].container, name) == 0)
			return &c->service[i];
	return NULL;
}

/* PROJECT-SERVICE-1; the project is the directory's name in lower case, of
 * letters, digits, - and _. */
void
compose_container(const struct compose *c, const char *file,
    const struct compose_service *s, char *dst, size_t cap)
{
	char project[64] = "";
	const char *slash, *from;
	size_t n = 0;

	if (s->container[0] != '\0') {
		(void)snprintf(dst, cap, "%s", s->container);
		return;
	}
	slash = strrchr(file, '/');
	for (from = slash; from != NULL && from > file && from[-1] != '/';)
		from--;
	for (; c->project[0] == '\0' && from != NULL && from < slash; from++)
		if ((isalnum((unsigned char)*from) || *from == '-' ||
		    *from == '_') && n + 1 < sizeof project)
			project[n++] = (char)tolower((unsigned char)*from);
	project[n] = '\0';
	(void)snprintf(dst, cap, "%s-%s-1", c->project[0] != '\0' ?
	    c->project : project, s->name);
}
