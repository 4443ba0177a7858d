/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SPAWN_CHILD_H
#define SVTREE_SPAWN_CHILD_H

#include "tree.h"

/* What the child writes into the gate when it cannot become the service. */
struct gate_word {
	int	 error;		/* errno, 0: step says it all */
	char	 step[START_STEP_LEN];	/* "take the lock", "run ollama" */
};
#define GATE_STEP_LOCK	"take the lock"

/* s6's word of finish for "do not start it again", and the file of run/NAME
 * that says so to a supervisor who was not there when it ended. */
#define FINISH_HOLD	125
#define HOLD_FILE	"hold"

/* The child's side of a start, between fork and exec; never returns. gate is
 * its end of the socket pair; ready_fd the write end for ready = fd, or -1. */
void spawn_child(const struct service *sv, int gate, int ready_fd)
    __attribute__((noreturn));
/* The same for programs beside it: no lock. in is their standard input, gate
 * where a byte lets them go, -1 for none; it is finish that has one. */
void spawn_child_aux(const struct service *sv, char *const arg[], int in,
    int gate)
    __attribute__((noreturn));
/* Tells the supervisor what could not be done, with errno, and ends. */
void spawn_fail(const char *fmt, ...)
    __attribute__((noreturn, format(printf, 1, 2)));

/* spawn_become.c: directory, umask, limits, priority, groups, user */
void spawn_become(const struct service *sv, const struct conf_user *u);

/* spawn_env.c: the environment, for the leader or for a script beside it. 0,
 * or -1 with a reason in err (CONF_ERR_LEN). */
int spawn_env(const struct service *sv, const struct conf_user *u,
    bool leader, char *err);

#endif
