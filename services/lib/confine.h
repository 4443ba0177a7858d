/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONFINE_H
#define SVTREE_CONFINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A program gives up what it will never need, so that whoever takes it over
 * has not got it either. What the system cannot do is left out and said in
 * the log. Children inherit it.
 */
struct confine {
	bool	 may_write;	/* open files for writing, make and remove */
	bool	 looks;		/* at who holds a port: Landlock would hide
				   it, and is left out */
	bool	 quiet;		/* says only what is missing */
	uint16_t port;		/* not 0: listens there, connects nowhere */
};

void confine_self(const struct confine *c);

/* No core file of this process or its children shows what they know: tokens,
 * passwords in addresses, the environment. Call it before confine_self. */
void confine_core(void);

#endif
