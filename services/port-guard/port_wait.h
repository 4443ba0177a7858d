/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_PORT_WAIT_H
#define SVTREE_PORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "store.h"

#define GUARD_PORTS_MAX	8

struct guard {
	const char	*service;	/* NULL: not below a supervisor */
	uint16_t	 port[GUARD_PORTS_MAX];
	int		 nports;
	bool		 evict;
	bool		 adopt;		/* who has the port is ours, too */
	bool		 expected;	/* waiting is no failure */
	enum store_kind	 store;		/* that the program needs */
	const struct conf_list *models;	/* that it must have, or NULL */
};

/* Returns as soon as all ports are free, however long that takes; tells why
 * it waits. os_open was called. */
void port_wait_free(const struct guard *g);
/* The same for the model store, in port_store.c. */
void port_wait_store(const struct guard *g);
/* The program cannot be executed; why is strerror's word. */
void port_tell_no_program(const struct guard *g, const char *program,
    const char *why);

/* Tells the supervisor. *sent: it has heard it, or will never. */
void port_report(const struct guard *g, const struct report *r, bool *sent);
/* Until the process that is watched has exited (then true), or ms are over. */
bool port_pause(int64_t ms);

#endif
