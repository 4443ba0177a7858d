/* SPDX-License-Identifier: ISC */
/*
 * Environment variables from files: the text of an env-file, and directories
 * as chpst(8) -e reads them. Knows no service; the caller takes each variable.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf.h"

#define FILE_BYTES	65536
#define NAME_BYTES	256
#define VALUE_BYTES	16384

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Blank lines and comments. */
static const char *
skip(const char *p, int *line)
{
	for (;;) {
		while (is_blank(*p))
			p++;
		if (*p == '#' || *p == ';')
			p += strcspn(p, "\n");
		if (*p != '\n')
			return p;
		p++;
		(*line)++;
	}
}

static bool
is_name(const char *name, size_t n)
{
	size_t i;

	if (n == 0 || isdigit((unsigned char)name[0]))
		return false;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

/* One character, or what stands behind a backslash; a backslash at the end
 * of a line joins it with the next one. In "..." it is only taken before
 * what means something there. */
static const char *
one(const char *p, char quote, int *line, struct buf *out)
{
	if (*p == '\\' && p[1] != '\0' && (quote == '\0' ||
	    strchr("\"\\$`\n", p[1]) != NULL)) {
		p++;
		if (*p == '\n')
			(*line)++;
		else
			buf_putc(out, *p);
		return p + 1;
	}
	if (*p == '\n')
		(*line)++;
	buf_putc(out, *p);
	return p + 1;
}

/* Up to the end of the line, quotes taken away. NULL: one is open. */
static const char *
take_value(const char *p, int *line, struct buf *out)
{
	size_t keep = 0;	/* blanks before this are part of it */
	char quote = '\0';

	while (is_blank(*p))
		p++;
	while (*p != '\0' && (quote != '\0' || *p != '\n')) {
		if (quote == '\0' && (*p == '"' || *p == '\'')) {
			quote = *p++;
			continue;
		}
		if (quote != '\0' && *p == quote) {
			quote = '\0';
			p++;
		} else if (quote == '\'') {
			*line += *p == '\n';
			buf_putc(out, *p++);
		} else if (quote == '\0' && is_blank(*p)) {
			buf_putc(out, *p++);
			continue;
		} else {
			p = one(p, quote, line, out);
		}
		keep = out->len;
	}
	out->len = keep;
	return quote == '\0' ? p : NULL;
}

int
conf_env_next(const char **text, int *line, char *name, size_t name_cap,
    char *value, size_t value_cap, char *err)
{
	const char *p = skip(*text, line), *end;
	int first = *line;
	struct buf out;
	size_t n;

	if (*p == '\0')
		return 0;
	n = strcspn(p, "=\n");
	end = p + n;
	while (n > 0 && is_blank(p[n - 1]))
		n--;
	if (*end != '=' || !is_name(p, n) || n >= name_cap) {
		(void)snprintf(err, CONF_ERR_LEN, "line %d: '%.*s' is no "
		    "variable; NAME=value is right", first,
		    (int)(n < 60 ? n : 60), p);
		return -1;
	}
	(void)snprintf(name, name_cap, "%.*s", (int)n, p);
	buf_init(&out, value, value_cap);
	p = take_value(end + 1, line, &out);
	if (p == NULL || out.overflow || out.len == value_cap) {
		(void)snprintf(err, CONF_ERR_LEN, "line %d: %s: %s", first,
		    name, p == NULL ? "a quote is not closed" : "too long");
		return -1;
	}
	value[out.len] = '\0';
	*text = p;
	return 1;
}

/* The whole file, NUL-terminated. Its length, or -1 with errno. */
static ssize_t
read_all(int at, const char *path, char *dst, size_t cap)
{
	ssize_t n, sum = 0;
	int fd;

	fd = openat(at, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while ((n = read(fd, dst + sum, cap - (size_t)sum)) > 0)
		sum += n;
	(void)close(fd);
	if (n < 0)
		return -1;
	if ((size_t)sum == cap) {
		errno = EFBIG;
		return -1;
	}
	dst[sum] = '\0';
	return sum;
}

int
conf_env_file(const char *path, conf_env_each *each, void *arg, char *err)
{
	static char text[FILE_BYTES], value[VALUE_BYTES];
	char name[NAME_BYTES], why[CONF_ERR_LEN];
	bool optional = path[0] == '-';
	const char *p = text;
	int line = 1, got;
	ssize_t n;

	path += optional;
	if ((n = read_all(AT_FDCWD, path, text, sizeof text)) < 0) {
		if (optional && errno == ENOENT)
			return 0;
		(void)snprintf(err, CONF_ERR_LEN, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	if (strlen(text) != (size_t)n) {
		(void)snprintf(err, CONF_ERR_LEN, "%s: holds a zero byte",
		    path);
		return -1;
	}
	while ((got = conf_env_next(&p, &line, name, sizeof name, value,
	    sizeof value, why)) > 0)
		each(arg, name, value);
	if (got < 0)
		(void)snprintf(err, CONF_ERR_LEN, "%.200s: %.200s", path, why);
	return got;
}

/* As chpst does: the first line, blanks at its end cut, a zero byte is a
 * line's end. */
static void
take_file(const char *name, char *text, size_t n, conf_env_each *each,
    void *arg)
{
	char *end = memchr(text, '\n', n);
	size_t len = end != NULL ? (size_t)(end - text) : n, i;

	if (n == 0) {
		each(arg, name, NULL);
		return;
	}
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	for (i = 0; i < len; i++)
		if (text[i] == '\0')
			text[i] = '\n';
	text[len] = '\0';
	each(arg, name, text);
}

int
conf_env_dir(const char *path, conf_env_each *each, void *arg, char *err)
{
	static char text[VALUE_BYTES];
	bool optional = path[0] == '-';
	struct dirent *e;
	int rc = 0;
	ssize_t n;
	DIR *d;

	path += optional;
	if ((d = opendir(path)) == NULL) {
		if (optional && errno == ENOENT)
			return 0;
		(void)snprintf(err, CONF_ERR_LEN, "%s: %s", path,
		    strerror(errno));
		return -1;
	}
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n = read_all(dirfd(d), e->d_name, text, sizeof text);
		if (n < 0 || strchr(e->d_name, '=') != NULL) {
			(void)snprintf(err, CONF_ERR_LEN, "%.200s/%.100s: %s",
			    path, e->d_name, n < 0 ? strerror(errno) :
			    "no name for a variable");
			rc = -1;
		} else {
			take_file(e->d_name, text, (size_t)n, each, arg);
		}
	}
	(void)closedir(d);
	return rc;
}
