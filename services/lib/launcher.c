/* SPDX-License-Identifier: ISC */
/*
 * Reads a launcher off a control group (systemd, Docker) or off the path of
 * a program (an app of macOS, Homebrew). Looks nothing up.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "launcher.h"

#define ID_LEN	64		/* of a container, in hexadecimal */

/* The length of the unit's name that begins at name and ends with suffix
 * before the next slash or the end of the line; 0 none. */
static int
unit_length(const char *name, const char *suffix)
{
	size_t n = strcspn(name, "/\n"), tail = strlen(suffix);

	return n > tail && strncmp(name + n - tail, suffix, tail) == 0 ?
	    (int)(n - tail) : 0;
}

/* The last part of the path that is a service, for the outer ones are those
 * of the session: user@1000.service. */
static const char *
last_service(const char *cgroup, int *len)
{
	const char *p, *found = NULL;
	int n;

	for (p = strchr(cgroup, '/'); p != NULL; p = strchr(p + 1, '/'))
		if ((n = unit_length(p + 1, ".service")) > 0) {
			found = p + 1;
			*len = n;
		}
	return found;
}

/* A container's id: 64 digits in a row. */
static const char *
container_id(const char *cgroup)
{
	const char *p;
	int n = 0;

	for (p = cgroup; *p != '\0'; p++) {
		n = isxdigit((unsigned char)*p) ? n + 1 : 0;
		if (n == ID_LEN)
			return p + 1 - ID_LEN;
	}
	return NULL;
}

static bool
holds(const char *text, int len, const char *word)
{
	int n = (int)strlen(word), i;

	for (i = 0; n > 0 && i + n <= len; i++)
		if (strncmp(text + i, word, (size_t)n) == 0)
			return true;
	return false;
}

void
launcher_of_cgroup(const char *cgroup, const char *own, const char *name,
    char *dst, size_t cap)
{
	const char *id, *unit, *ours;
	int n = 0, k = 0;

	dst[0] = '\0';
	if ((id = container_id(cgroup)) != NULL) {
		if (own == NULL || strstr(own, id) == NULL)
			(void)snprintf(dst, cap, "docker stop %.12s", id);
		return;
	}
	if ((unit = last_service(cgroup, &n)) == NULL)
		return;
	ours = own != NULL ? last_service(own, &k) : NULL;
	if (ours != NULL && n == k && strncmp(unit, ours, (size_t)n) == 0)
		return;
	if (!holds(unit, n, name))
		return;
	(void)snprintf(dst, cap, "systemctl %sdisable --now %.*s",
	    strstr(cgroup, "/user@") != NULL ? "--user " : "", n, unit);
}

/* "ollama" of "/opt/homebrew/opt/ollama/bin/ollama"; a program of another
 * name (python) is run by many. */
static void
put_formula(const char *path, const char *program, char *dst, size_t cap)
{
	static const char *const homes[] = { "/Cellar/", "/opt/homebrew/opt/",
	    "/usr/local/opt/" };
	const char *p;
	size_t i;

	for (i = 0; i < sizeof homes / sizeof homes[0]; i++)
		if ((p = strstr(path, homes[i])) != NULL) {
			p += strlen(homes[i]);
			if (strcspn(p, "/") == strlen(program) &&
			    strncmp(p, program, strlen(program)) == 0)
				(void)snprintf(dst, cap, "brew services stop "
				    "%s", program);
			return;
		}
}

void
launcher_of_path(const char *path, pid_t ppid, char *dst, size_t cap)
{
	const char *app = strstr(path, ".app/"), *begin;
	const char *name = strrchr(path, '/');

	dst[0] = '\0';
	if (app != NULL) {
		for (begin = app; begin > path && begin[-1] != '/';)
			begin--;
		(void)snprintf(dst, cap, "quit %.*s.app, and take it out of "
		    "the login items", (int)(app - begin), begin);
		return;
	}
	/* A child of launchd, but for one whose parent has died. */
	if (ppid != 1 || name == NULL || name[1] == '\0')
		return;
	put_formula(path, name + 1, dst, cap);
	if (dst[0] == '\0')
		(void)snprintf(dst, cap, "launchctl list | grep %s, then "
		    "launchctl bootout", name + 1);
}
