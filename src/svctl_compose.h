/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_COMPOSE_H
#define SVTREE_SVCTL_COMPOSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a compose file says of its services, as far as a service directory
 * needs it. Reads the block style in which such files are written; what it
 * does not understand it refuses, with the line. Pure.
 */
#define COMPOSE_SERVICES	128
#define COMPOSE_ERR_LEN		200

struct compose_service {
	char	 name[64];
	char	 container[128]; /* container_name, "" not said */
	char	 restart[32];	/* "" not said */
	bool	 memory;	/* a limit is said */
	bool	 ollama;	/* it speaks of Ollama */
	int	 line;
};

struct compose {
	char	 project[64];	/* name:, "" not said */
	struct compose_service service[COMPOSE_SERVICES];
	int	 n;
};

/* 0, or -1 with a reason that begins with the line's number. */
int compose_read(const char *text, size_t len, struct compose *c, char *err);
struct compose_service *compose_find(struct compose *c, const char *name);
/* The name that Docker gives its container when none is said. */
void compose_container(const struct compose *c, const char *file,
    const struct compose_service *s, char *dst, size_t cap);

#endif
