/* SPDX-License-Identifier: ISC */
/*
 * The one job given to its manager and taken away: by the manager's own
 * commands, which are shown.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "svctl_edit.h"
#include "svctl_job.h"
#include "svctl_run.h"

#define STOP_MS		120000	/* of all services */
#define ANSWER_MS	15000

/* "systemctl --user daemon-reload": shown, and run unless it is only to be
 * shown or for another root. */
int
install_command(const struct installing *in, const char *text, int timeout_ms)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)text, NULL };
	char said[4096];
	int rc;

	(void)printf("  %s\n", text);
	(void)fflush(stdout);
	if (in->c->opt[OPT_PRINT] != NULL || in->m.root[0] != '\0')
		return 0;
	rc = run_program(argv, timeout_ms, said, sizeof said);
	if (rc != 0)
		(void)fprintf(stderr, "svctl: %s: %s%s\n", text, rc < 0 ?
		    strerror(errno) : "failed: ", rc < 0 ? "" : said);
	return rc;
}

/* By the manager's own tool, where it is here and can run: what it says of
 * our file counts, not what it says of the machine. */
int
install_lint(struct installing *in)
{
	char *systemd[] = { (char *)"systemd-analyze",
	    (char *)(in->j.system ? "--system" : "--user"), (char *)"verify",
	    (char *)"--man=no", in->j.file, NULL };
	char *launchd[] = { (char *)"plutil", (char *)"-lint", in->j.file,
	    NULL };
	char **argv = in->j.launchd ? launchd : systemd, said[4096];

	if (in->m.root[0] != '\0' || run_find(argv[0], NULL, 0) < 0)
		return 0;
	if (run_program(argv, COMMAND_MS, said, sizeof said) == 0 ||
	    strstr(said, in->j.launchd ? "plist" : "svtree.service") == NULL)
		return 0;
	(void)fprintf(stderr, "svctl: %s finds fault with %s: %s\n", argv[0],
	    in->j.file, said);
	return -1;
}

static void
put_domain(const struct installing *in, char *dst, size_t cap)
{
	if (in->j.system)
		(void)snprintf(dst, cap, "system");
	else
		(void)snprintf(dst, cap, "gui/%ld", (long)in->m.uid);
}

int
install_start(struct installing *in)
{
	const char *user = in->j.system ? "" : "--user ";
	char text[MACHINE_PATH + 64], domain[32];

	if (in->j.launchd) {
		put_domain(in, domain, sizeof domain);
		(void)snprintf(text, sizeof text, "launchctl bootstrap %s "
		    "'%s'", domain, in->j.file);
		return install_command(in, text, COMMAND_MS);
	}
	(void)snprintf(text, sizeof text, "systemctl %sdaemon-reload", user);
	if (install_command(in, text, COMMAND_MS) != 0)
		return -1;
	(void)snprintf(text, sizeof text, "systemctl %senable --now svtree",
	    user);
	return install_command(in, text, COMMAND_MS);
}

/* One that a person has started: its services live on without it, and the
 * job's supervisor takes them over. */
int
install_detach_running(struct installing *in)
{
	char err[CLIENT_ERR_LEN], run[MACHINE_PATH];
	struct client_reply r;
	struct client old;
	int got;

	(void)snprintf(run, sizeof run, "%s", in->j.run);
	if (client_open(&old, run[0] != '\0' ? run : in->c->run, err) < 0)
		return 0;
	if (!ask_yes(in->c, "A supervisor runs already. Have it leave, so "
	    "that the job takes its services over?")) {
		client_close(&old);
		return -1;
	}
	if (client_call(&old, "Detach", NULL, &r, COMMAND_MS, err) < 0) {
		(void)fprintf(stderr, "svctl: detach: %s\n", err);
		client_close(&old);
		return -1;
	}
	do	/* its end is the end of the connection */
		got = client_recv(&old, &r, COMMAND_MS, err);
	while (got > 0);
	client_close(&old);
	return 0;
}

int
install_wait_for_answer(struct installing *in)
{
	int64_t deadline = ctl_now_ms() + ANSWER_MS;
	char err[CLIENT_ERR_LEN];
	struct client fresh;

	if (in->m.root[0] != '\0')
		return CTL_OK;
	while (client_open(&fresh, in->j.run[0] != '\0' ? in->j.run :
	    in->c->run, err) < 0) {
		if (ctl_now_ms() >= deadline) {
			(void)fprintf(stderr, "svctl: the job was started, "
			    "but no supervisor answers: %s; see %s\n", err,
			    in->j.launchd ? "its log" : "journalctl -u "
			    "svtree");
			return CTL_NO_SUPERVISOR;
		}
		(void)ctl_pause(100);
	}
	client_close(&fresh);
	(void)printf("svtree runs; svctl shows its services\n");
	return CTL_OK;
}

void
install_stop(struct installing *in)
{
	char text[MACHINE_PATH + 64], domain[32];

	if (in->j.launchd) {
		put_domain(in, domain, sizeof domain);
		(void)snprintf(text, sizeof text, "launchctl bootout "
		    "%s/org.svtree.host", domain);
	} else {
		(void)snprintf(text, sizeof text, "systemctl %sdisable --now "
		    "svtree", in->j.system ? "" : "--user ");
	}
	(void)install_command(in, text, STOP_MS);
}
