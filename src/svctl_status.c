/* SPDX-License-Identifier: ISC */
/*
 * svctl status and is-active: from the supervisor, or, when it is gone, from
 * the records that it left in run/table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "svctl.h"

/* What a verdict is made of: see the exit status in svctl(1). */
static int
verdict(const struct ctl *c, const struct list *l)
{
	int i;

	for (i = 0; i < l->n; i++)
		if (!ctl_is_up(&l->sv[i]) && (c->n > 0 ||
		    ctl_is(l->sv[i].want, "up")))
			return c->n > 0 ? CTL_NOT_RUNNING : CTL_FAILED;
	return CTL_OK;
}

/* One service named: its page, for which its needs are looked at as well. */
static void
show_page(struct ctl *c, const struct list *l)
{
	struct list all = { .sv = NULL };

	if (l->sup.pid > 0 && l->sv[0].needs[0] != '\0' &&
	    ctl_list(c, NULL, 0, &all, false) == CTL_OK)
		ctl_print_page(c, &all, &l->sv[0]);
	else
		ctl_print_page(c, l, &l->sv[0]);
	ctl_list_free(&all);
}

static void
show(struct ctl *c, const struct list *l)
{
	int i;

	if (c->quiet || c->json)
		return;
	if (c->opt[OPT_NAMES] != NULL)
		for (i = 0; i < l->n; i++)
			(void)printf("%s\n", l->sv[i].name);
	else if (c->n == 1 && l->n == 1 && c->opt[OPT_TREE] == NULL)
		show_page(c, l);
	else
		ctl_print_table(l, c->opt[OPT_TREE] != NULL);
}

static int
get(struct ctl *c, struct list *l)
{
	char err[CLIENT_ERR_LEN];
	int rc;

	if (client_open(&c->client, c->run, err) < 0 &&
	    (errno == ENOENT || errno == ECONNREFUSED))
		return ctl_offline(c, l);
	if ((rc = ctl_expand(c)) != CTL_OK)
		return rc;
	rc = ctl_list(c, c->name, c->n, l, c->json && !c->quiet);
	if (rc == CTL_OK && c->n == 0 && !c->json)
		ctl_nest(c, l);
	return rc;
}

int
svctl_status(struct ctl *c)
{
	struct list l = { .sv = NULL };
	int rc = get(c, &l);

	if (rc == CTL_OK || (rc == CTL_NO_SUPERVISOR && l.n > 0)) {
		show(c, &l);
		rc = rc == CTL_OK ? verdict(c, &l) : rc;
	}
	ctl_list_free(&l);
	return rc;
}

int
svctl_is_active(struct ctl *c)
{
	struct list l = { .sv = NULL };
	int i, rc = get(c, &l);

	for (i = 0; i < l.n && !c->quiet && !c->json; i++)
		(void)printf("%s%s%s\n", l.n > 1 ? l.sv[i].name : "",
		    l.n > 1 ? " " : "", l.sv[i].state);
	if (rc == CTL_OK)
		rc = verdict(c, &l);
	ctl_list_free(&l);
	return rc;
}
