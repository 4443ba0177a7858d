/* SPDX-License-Identifier: ISC */
/*
 * svctl check: every error in the definitions, whether or not a supervisor
 * runs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf.h"
#include "svctl.h"

static void
print_error(void *arg, const char *line)
{
	int *errors = arg;

	++*errors;
	(void)fprintf(stderr, "%s\n", line);
}

static void
print_obstacle(void *arg, const char *service, const char *what,
    const char *mend)
{
	int *obstacles = arg;

	++*obstacles;
	(void)fprintf(stderr, "%s: %s; %s\n", service, what, mend);
}

void
ctl_services_dir(struct ctl *c, char *dst, size_t cap)
{
	const char *named = getenv("SVTREE_SERVICES"), *home = getenv("HOME");
	char err[CLIENT_ERR_LEN];
	struct list l = { .sv = NULL };

	if ((c->client.fd >= 0 || client_open(&c->client, c->run, err) == 0)
	    && ctl_list(c, NULL, 0, &l, false) == CTL_OK) {
		(void)snprintf(dst, cap, "%s", l.sup.services);
		if (l.sup.path[0] != '\0')
			(void)setenv("SVTREE_PATH", l.sup.path, 1);
	} else if (named != NULL)
		(void)snprintf(dst, cap, "%s", named);
	else if (geteuid() == 0)
		(void)snprintf(dst, cap, "/etc/svtree/services");
	else
		(void)snprintf(dst, cap, "%s/.svtree/services",
		    home != NULL ? home : "");
	ctl_list_free(&l);
}

int
svctl_check(struct ctl *c)
{
	struct conf_tree t;
	char dir[1024], names[256];
	int i, errors = 0;

	if (c->n > 0)
		(void)snprintf(dir, sizeof dir, "%s", c->name[0]);
	else
		ctl_services_dir(c, dir, sizeof dir);
	if (conf_load(&t, dir, print_error, &errors) < 0) {
		(void)fprintf(stderr, "svctl: %s: %d error%s\n", dir, errors,
		    errors == 1 ? "" : "s");
		return CTL_FAILED;
	}
	for (i = 0; i < t.n; i++)
		ctl_preflight(&t.service[i], print_obstacle, &errors);
	if (!c->quiet && ctl_unprobed(names, sizeof names, &t))
		(void)fprintf(stderr, "svctl: nobody reads [health] of %s; "
		    UNPROBED_MEND "\n", names);
	if (errors > 0)
		(void)fprintf(stderr, "svctl: %s: the definitions are good, "
		    "%d thing%s in their way\n", dir, errors, errors == 1 ?
		    " is" : "s are");
	else if (!c->quiet)
		(void)printf("%s: %d service%s, no error\n", dir, t.n,
		    t.n == 1 ? "" : "s");
	conf_free(&t);
	return errors > 0 ? CTL_FAILED : CTL_OK;
}
