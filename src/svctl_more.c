/* SPDX-License-Identifier: ISC */
/*
 * The verbs that would make svctl large: it runs this program for them, with
 * the arguments that it was given.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "svctl.h"
#include "svctl_sv.h"

static const struct {
	const char *verb;
	int	(*run)(struct ctl *c);
} deeds[] = {
	{ "incidents", svctl_incidents },
	{ "top", svctl_top },
	{ "check", svctl_check },
	{ "doctor", svctl_doctor },
	{ "init", svctl_init },
	{ "install", svctl_install },
	{ "uninstall", svctl_uninstall },
	{ "adopt-compose", svctl_adopt_compose },
	{ "keys", svctl_keys },
	{ "completion", svctl_complete },
};

static int
run(struct ctl *c)
{
	size_t i;

	if (c->opt[OPT_HOST] != NULL)
		return svctl_remote(c);
	for (i = 0; i < nitems(deeds); i++)
		if (strcmp(deeds[i].verb, c->verb->name) == 0)
			return deeds[i].run(c);
	(void)fprintf(stderr, "svctl-more: %s is done by svctl\n",
	    c->verb->name);
	return CTL_USAGE;
}

int
main(int argc, char **argv)
{
	struct ctl c;
	int rc;

	log_open("svctl");
	(void)signal(SIGPIPE, SIG_IGN);
	if (sv_called(argc, argv, &c.run) > 0)
		return svctl_sv(argc, argv);
	rc = ctl_args(&c, argc, argv);
	if (rc < 0)
		rc = run(&c);
	client_close(&c.client);
	client_close(&c.events);
	ctl_free_names(&c);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = CTL_FAILED;
	return rc;
}
