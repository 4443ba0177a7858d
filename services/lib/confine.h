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
	uint16_t port;		/* not 0: listens there, connects nowhere */
};

void confine_self(const struct confine *c);

#endif
