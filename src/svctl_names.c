/* SPDX-License-Identifier: ISC */
/*
 * The services that are meant: lists of them, and patterns among the names.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl.h"

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*?[") != NULL;
}

/* Appends the names that a pattern means; -1: it means none. */
static int
add_matches(char **name, int *n, const struct list *l, const char *pattern)
{
	int i, before = *n;

	for (i = 0; i < l->n; i++)
		if (fnmatch(pattern, l->sv[i].name, 0) == 0)
			name[(*n)++] = strdup(l->sv[i].name);
	return *n > before ? 0 : -1;
}

int
ctl_expand(struct ctl *c)
{
	struct list l = { .sv = NULL };
	char **name;
	int i, rc, n = 0, patterns = 0;

	for (i = 0; i < c->n; i++)
		patterns += is_pattern(c->name[i]);
	if (patterns == 0)
		return CTL_OK;
	if ((rc = ctl_list(c, NULL, 0, &l, false)) != CTL_OK)
		return rc;
	name = calloc((size_t)c->n + (size_t)patterns * (size_t)l.n + 1,
	    sizeof *name);
	for (i = 0; name != NULL && i < c->n && rc == CTL_OK; i++) {
		if (!is_pattern(c->name[i])) {
			name[n++] = strdup(c->name[i]);
		} else if (add_matches(name, &n, &l, c->name[i]) < 0) {
			(void)fprintf(stderr, "svctl: no service matches %s; "
			    "svctl status lists them\n", c->name[i]);
			rc = CTL_NO_SERVICE;
		}
	}
	if (name != NULL)
		ctl_own_names(c, name, n);
	ctl_list_free(&l);
	return rc;
}

void
ctl_own_names(struct ctl *c, char **name, int n)
{
	c->name = c->own = name;
	c->n = n;
}

void
ctl_free_names(struct ctl *c)
{
	int i;

	for (i = 0; c->own != NULL && i < c->n; i++)
		free(c->own[i]);
	free(c->own);
	c->own = NULL;
}
