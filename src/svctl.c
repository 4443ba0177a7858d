/* SPDX-License-Identifier: ISC */
/*
 * A person's hand on the tree: which function does a verb. The verbs
 * themselves, their words and their options are a table (svctl_verbs.c).
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
	{ "status", svctl_status },
	{ "is-active", svctl_is_active },
	{ "explain", svctl_explain },
	{ "logs", svctl_logs },
	{ "events", svctl_events },
	{ "history", svctl_history },
	{ "start", svctl_act },
	{ "stop", svctl_act },
	{ "restart", svctl_act },
	{ "once", svctl_act },
	{ "signal", svctl_signal },
	{ "pause", svctl_signal },
	{ "cont", svctl_signal },
	{ "enable", svctl_act },
	{ "disable", svctl_act },
	{ "wait", svctl_wait },
	{ "recover", svctl_recover },
	{ "reload", svctl_reload },
	{ "upgrade", svctl_upgrade },
	{ "detach", svctl_detach },
	{ "shutdown", svctl_shutdown },
};

static int
run(struct ctl *c, char **argv)
{
	size_t i;
	int rc;

	if (c->verb->more || c->opt[OPT_HOST] != NULL)
		return ctl_exec_more(c, argv);
	if ((rc = ctl_enter(c)) != CTL_OK)
		return rc;
	for (i = 0; i < nitems(deeds); i++)
		if (strcmp(deeds[i].verb, c->verb->name) == 0)
			return deeds[i].run(c);
	(void)fprintf(stderr, "svctl: %s is not built in here\n",
	    c->verb->name);
	return CTL_FAILED;
}

int
main(int argc, char **argv)
{
	struct ctl c;
	int rc;

	log_open("svctl");
	(void)signal(SIGPIPE, SIG_IGN);
	if (sv_called(argc, argv, &c.run) > 0) {
		c.verb = verb_find("sv");
		return ctl_exec_more(&c, argv);
	}
	rc = ctl_args(&c, argc, argv);
	if (rc < 0)
		rc = run(&c, argv);
	client_close(&c.client);
	client_close(&c.events);
	ctl_free_names(&c);
	if (fflush(stdout) != 0 && rc == CTL_OK)
		rc = CTL_FAILED;
	return rc;
}
