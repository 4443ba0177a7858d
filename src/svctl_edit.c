/* SPDX-License-Identifier: ISC */
/*
 * Files that svctl writes, and questions that it asks before.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_edit.h"

/* Is this the line of the key, maybe commented out? */
static bool
is_line_of(const char *line, const char *key)
{
	size_t n = strlen(key);

	while (*line == '#' || *line == ' ')
		line++;
	if (strncmp(line, key, n) != 0)
		return false;
	line += n;
	while (*line == ' ')
		line++;
	return *line == '=';
}

static bool
is_header(const char *line, const char *section)
{
	size_t n = strlen(section);

	return line[0] == '[' && strncmp(line + 1, section, n) == 0 &&
	    line[n + 1] == ']';
}

/* Puts what over text[from..to). */
static int
replace(char *text, size_t cap, size_t from, size_t to, const char *what)
{
	size_t n = strlen(what), len = strlen(text);

	if (len - (to - from) + n >= cap)
		return -1;
	memmove(text + from + n, text + to, len - to + 1);
	/* The end of text has moved with the rest. */
	memcpy(text + from, what, n);
	return 0;
}

int
edit_set(char *text, size_t cap, const char *section, const char *key,
    const char *value)
{
	size_t at = 0, end, found = SIZE_MAX, head = SIZE_MAX, found_end = 0;
	bool inside = false;
	char line[1200];

	(void)snprintf(line, sizeof line, "%s = %s\n", key, value);
	for (; text[at] != '\0'; at = end) {
		end = at + strcspn(text + at, "\n");
		end += text[end] == '\n';
		if (text[at] == '[') {
			inside = is_header(text + at, section);
			head = inside ? end : head;
		} else if (inside && is_line_of(text + at, key) &&
		    (found == SIZE_MAX || text[at] != '#')) {
			found = at;
			found_end = end;
			if (text[at] != '#')
				break;
		}
	}
	if (found != SIZE_MAX)
		return replace(text, cap, found, found_end, line);
	if (head != SIZE_MAX)
		return replace(text, cap, head, head, line);
	at = strlen(text);
	(void)snprintf(line, sizeof line, "%s\n[%s]\n%s = %s\n", at > 0 &&
	    text[at - 1] != '\n' ? "\n" : "", section, key, value);
	return replace(text, cap, at, at, line);
}

int
edit_mkdirs(const char *path)
{
	char dir[1200], *p;

	if (strlen(path) >= sizeof dir) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)strlcpy(dir, path, sizeof dir);
	for (p = dir + 1; *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(dir, 0755);
			*p = '/';
		}
	return mkdir(dir, 0755) < 0 && errno != EEXIST ? -1 : 0;
}

static int
put_file(const char *path, const char *text, int mode)
{
	size_t n = strlen(text);
	ssize_t put;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	if (fd < 0)
		return -1;
	while (n > 0) {
		put = write(fd, text, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			break;
		text += put;
		n -= (size_t)put;
	}
	/* Not by the umask: a job's file must be readable. */
	if (n > 0 || fchmod(fd, (mode_t)mode) < 0) {
		(void)close(fd);
		return -1;
	}
	return close(fd);
}

int
edit_write(const char *path, const char *text, int mode)
{
	char dir[1200], fresh[1216], *slash;

	(void)snprintf(dir, sizeof dir, "%s", path);
	if ((slash = strrchr(dir, '/')) != NULL)
		*slash = '\0';
	(void)snprintf(fresh, sizeof fresh, "%s.new", path);
	if ((slash == NULL || edit_mkdirs(dir) == 0) &&
	    put_file(fresh, text, mode) == 0 && rename(fresh, path) == 0)
		return 0;
	(void)fprintf(stderr, "svctl: write %s: %s\n", path,
	    strerror(errno));
	(void)unlink(fresh);
	return -1;
}

int
edit_read(const char *path, char *dst, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 0;

	if (fd < 0)
		return -1;
	while (len + 1 < cap && (n = read(fd, dst + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	dst[len] = '\0';
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

void
ask_line(const struct ctl *c, const char *question, char *dst, size_t cap)
{
	dst[0] = '\0';
	if (c->opt[OPT_YES] != NULL || !isatty(STDIN_FILENO))
		return;
	(void)printf("%s ", question);
	(void)fflush(stdout);
	if (fgets(dst, (int)cap, stdin) == NULL)
		dst[0] = '\0';
	dst[strcspn(dst, "\n")] = '\0';
}

bool
ask_yes(const struct ctl *c, const char *fmt, ...)
{
	char question[600], answer[32];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(question, sizeof question, fmt, ap);
	va_end(ap);
	if (c->opt[OPT_YES] != NULL) {
		(void)printf("%s yes\n", question);
		return true;
	}
	if (!isatty(STDIN_FILENO)) {
		(void)printf("%s no (nobody to ask; --yes says yes)\n",
		    question);
		return false;
	}
	(void)strlcat(question, " [y/N]", sizeof question);
	ask_line(c, question, answer, sizeof answer);
	return tolower((unsigned char)answer[0]) == 'y';
}
