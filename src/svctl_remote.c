/* SPDX-License-Identifier: ISC */
/*
 * svctl -H HOST: ssh to one host as if svctl were called there, with its
 * terminal when there is one here.
 */
#include <sys/wait.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "os.h"
#include "svctl_remote.h"

#define SSH_FAILED	255

int
remote_ssh(const struct host *h, bool terminal, bool batch,
    const char *command, char **argv, char *mem, size_t cap)
{
	static const char *const always[] = { "-o", "ConnectTimeout=10", "-o",
	    "ServerAliveInterval=15", "-o", "ServerAliveCountMax=3" };
	const char *ssh = getenv("SVCTL_SSH");
	char err[CONF_ERR_LEN];
	size_t i;
	int n;

	n = conf_split(ssh != NULL && ssh[0] != '\0' ? ssh : "ssh", argv,
	    SSH_ARGS - 20, mem, cap, err);
	if (n <= 0) {
		(void)fprintf(stderr, "svctl: SVCTL_SSH: %s\n", n < 0 ? err :
		    "no word in it; ssh -F FILE would be right");
		return -1;
	}
	for (i = 0; i < nitems(always); i++)
		argv[n++] = (char *)always[i];
	if (terminal)
		argv[n++] = (char *)"-t";
	if (batch) {	/* several cannot ask for passwords at once */
		argv[n++] = (char *)"-o";
		argv[n++] = (char *)"BatchMode=yes";
	}
	if (h->port[0] != '\0') {
		argv[n++] = (char *)"-p";
		argv[n++] = (char *)h->port;
	}
	argv[n++] = (char *)"--";
	argv[n++] = (char *)h->name;
	argv[n++] = (char *)command;
	argv[n] = NULL;
	return n;
}

static int
remote_one(const struct host *h, const char *command)
{
	char *argv[SSH_ARGS], mem[1024];
	int status = 0;
	pid_t pid;

	if (remote_ssh(h, isatty(STDIN_FILENO) && isatty(STDOUT_FILENO),
	    false, command, argv, mem, sizeof mem) < 0)
		return CTL_USAGE;
	if ((pid = fork()) == 0) {
		os_reset_signals();
		(void)execvp(argv[0], argv);
		(void)fprintf(stderr, "svctl: %s: %s\n", argv[0],
		    strerror(errno));
		_exit(SSH_FAILED);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid > 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) != SSH_FAILED)
		return WEXITSTATUS(status);
	(void)fprintf(stderr, "svctl: %s cannot be reached; does ssh %s "
	    "work?\n", h->name, h->name);
	return CTL_NO_HOST;
}

int
svctl_remote(struct ctl *c)
{
	const char *svctl = getenv("SVCTL_REMOTE");
	static struct host host[HOSTS_MAX];
	char command[REMOTE_LEN], err[256];
	int n;

	n = remote_hosts(c->opt[OPT_HOST], host, HOSTS_MAX, err, sizeof err);
	if (n < 0) {
		(void)fprintf(stderr, "svctl: --host: %s\n", err);
		return CTL_USAGE;
	}
	if (n > 1)
		return remote_many(c, host, n);
	if (remote_command(c, svctl != NULL ? svctl : "svctl", NULL, command,
	    sizeof command) < 0) {
		(void)fprintf(stderr, "svctl: that is too long for a command "
		    "line there\n");
		return CTL_USAGE;
	}
	return remote_one(&host[0], command);
}
