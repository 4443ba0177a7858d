/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_TELL_H
#define SVTREE_OOM_TELL_H

#include "docker.h"
#include "box.h"
#include "report.h"

/* Judges the pending death of the box and tells who must know. */
void tell_death(struct docker *d, struct box *b);
/* The same of an OOM kill that the container has outlived. */
void tell_outlived(struct docker *d, struct box *b);
/* Sends a report. 0; -1: not said, and another time may do. */
int tell_send(const char *service, const struct report *r);

#endif
