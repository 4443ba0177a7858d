/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_PORT_WAIT_H
#define SVTREE_PORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define GUARD_PORTS_MAX	8

struct guard {
	const char	*service;	/* NULL: not below a supervisor */
	uint16_t	 port[GUARD_PORTS_MAX];
	int		 nports;
	bool		 evict;
	bool		 expected;	/* waiting is no failure */
};

/* Returns as soon as all ports are free, however long that takes; tells why
 * it waits. os_open was called. */
void port_wait_free(const struct guard *g);

#endif
