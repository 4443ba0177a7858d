/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_ADOPT_H
#define SVTREE_SVCTL_ADOPT_H

#include "svctl.h"
#include "svctl_compose.h"

/* Writes a service directory for each critical service of a compose file
 * (names by commas) below dir, and one for the engine when none is there.
 * with_ollama: the tree has a service ollama. root as in svctl_machine.h. 0 or
 * the exit status, all told. */
int adopt_compose(struct ctl *c, const char *root, const char *file,
    const char *critical, const char *dir, bool with_ollama);

/* The names of the services of a compose file, by commas; "" when it cannot
 * be read. */
void adopt_names(const char *root, const char *file, char *dst, size_t cap);

/* svctl_examples.c: the shipped definitions; NULL when there is none. */
const char *example_text(const char *name);
/* Writes dir/name/service.conf unless it is there. 0 written, 1 left as it
 * was, -1 told. */
int example_write(const char *dir, const char *name, const char *text);

#endif
