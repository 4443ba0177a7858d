/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_UPGRADE_H
#define SVTREE_UPGRADE_H

#include "tree.h"

/*
 * Upgrade: the supervisor becomes another program in the same process. The
 * new program is tried first, as a child with --preflight and a deadline; it
 * looks at the run directory and the definitions and touches nothing. Then
 * the descriptors that must not close are written down in run/handover, are
 * let through exec, and are taken up again by --resume. All else goes the way
 * of a supervisor that was killed: the records say what runs.
 */

/* The arguments that a successor is started with, beside its program. */
#define UPGRADE_PREFLIGHT	"--preflight"
#define UPGRADE_RESUME		"--resume"

/* Finds the program of this process, argv[0], by its absolute path. */
void upgrade_open(const char *argv0);
/* Starts the preflight of program (NULL: the own one). The outcome is an
 * event "upgrade", or the exec. 0, or -1 with the reason in err. */
int upgrade_begin(struct tree *t, const char *program, char *err);
/* The preflight's child has ended. */
void upgrade_exited(struct tree *t, int status);
/* What is due: the deadline of the preflight, or the exec once no start and
 * no script is under way. Returns only when there was no exec. */
void upgrade_step(struct tree *t, int64_t now);
/* The next time that upgrade_step wants, -1 none. */
int64_t upgrade_deadline(const struct tree *t);

/* After --resume: gives the descriptors written down to their owners and
 * forgets the file. True when there was one of this process. */
bool upgrade_resume(struct tree *t);
/* The lock of the run directory that was let through, before the rest can be
 * given out; -1 none. */
int upgrade_lock(const struct tree *t);

#endif
