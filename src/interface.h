/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_INTERFACE_H
#define SVTREE_INTERFACE_H

#include <stdbool.h>

#include "control.h"

/* Introspection, org.varlink.service (https://varlink.org/Service). */

/* Answers GetInfo and GetInterfaceDescription; false: another method. */
bool interface_call(struct call *c, const char *method);

#endif
