/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_REMOTE_H
#define SVTREE_SVCTL_REMOTE_H

#include "svctl.h"

/*
 * svctl -H: the same verb on other hosts, by ssh, as systemctl and docker do.
 */
#define HOSTS_MAX	64
#define REMOTE_LEN	8192	/* of a command line */

struct host {
	char	 name[128];	/* user@host, as ssh takes it */
	char	 port[8];	/* "" ssh's own */
};

/* svctl_remote_words.c, pure */

/* "a,me@b:2222": the number of hosts, -1 with a reason in err. */
int remote_hosts(const char *text, struct host *host, int max, char *err,
    size_t cap);
/* The command for the shell there: svctl with what the command line says but
 * for the hosts. extra: one more option, or NULL. -1: too long. */
int remote_command(const struct ctl *c, const char *svctl, const char *extra,
    char *dst, size_t cap);

/* Arguments of ssh for a host; words lie in mem. -1 told. */
#define SSH_ARGS	40
int remote_ssh(const struct host *h, bool terminal, bool batch,
    const char *command, char **argv, char *mem, size_t cap);

/* svctl_remote_many.c: on several at once */
int remote_many(struct ctl *c, const struct host *host, int n);

#endif
