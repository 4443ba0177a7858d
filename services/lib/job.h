/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_JOB_H
#define SVTREE_JOB_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

/*
 * A command run beside the loop, with a deadline: at it SIGTERM, 2 s later
 * SIGKILL. What it says goes to our own output; its last line is kept as the
 * reason of a failure. The caller has SIGCHLD wake its loop.
 */
struct job {			/* begins as zeroes */
	pid_t	 pid;		/* 0: none runs */
	int	 out;		/* its output; valid while pid is set */
	int	 status;	/* wait status, once it has ended */
	bool	 late;		/* it was killed at the deadline */
	int64_t	 deadline_ms;	/* of the next signal */
	char	 last[160];	/* last line of its output */
	unsigned len;		/* of the line begun */
	char	 line[160];
};

enum job_group {
	JOB_OURS,	/* our process group: it ends when the group does */
	JOB_MUTE,	/* the same; a question: what it says is for nobody */
	JOB_APART	/* a session of its own: what it starts outlives us */
};

/* argv[0] is looked up in PATH. 0, or -1 with errno. */
int job_start(struct job *j, char *const argv[], enum job_group group,
    int64_t timeout_ms);
/* True once, when it has ended. To be called when SIGCHLD came, when out is
 * readable, and at the deadline. */
bool job_step(struct job *j, int64_t now_ms);
/* It ran, was in time and exited with 0. */
bool job_is_good(const struct job *j);
/* "exited with 1: no such service", "took too long: pulling ..." */
void job_words(const struct job *j, char *dst, int cap);

#endif
