/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_ADDRESS_H
#define SVTREE_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"

/*
 * Where the listener is reached: a list of addresses, some of which may not
 * be there yet (a bridge that Docker makes later).
 */
#define ADDRESS_ERR_LEN	256

/* "127.0.0.1", "::1", "172.17.0.1", or an interface such as docker0; several
 * separated by commas. 0, or -1 with a reason in err. */
int address_add(const char *list, char *err);
/* Serves what is there and not yet served. An address that is not there is
 * tried again; one that is taken is an error when first is set. Returns 0
 * with the time of the next attempt (INT64_MAX none) in *next_ms, or -1 with
 * a reason in err. */
int address_serve(uint16_t port, bool first, int64_t now_ms,
    int64_t *next_ms, struct hosts *h, char *err);
/* How many are served. */
int address_served(void);

#endif
