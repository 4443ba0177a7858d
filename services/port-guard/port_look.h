/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_PORT_LOOK_H
#define SVTREE_PORT_LOOK_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who stands in the way of a server on a TCP port. */
struct port_holder {
	bool	 taken;
	uint16_t port;
	pid_t	 pid;		/* 0: cannot be named from here */
	uint64_t start;		/* of pid; 0 unknown */
	char	 name[40];
	char	 user[40];	/* name or number, "" unknown */
};

/* Could a server bind the port now, on every local address? A connection in
 * TIME_WAIT is no obstacle. Cheap. */
bool port_is_taken(uint16_t port);
/* The same, and by whom; reads the process table when it is taken. */
void port_look(uint16_t port, struct port_holder *h);
/* "port 11434 is held by pid 123 (ollama, user root)" */
void port_words(const struct port_holder *h, char *dst, size_t cap);

#endif
