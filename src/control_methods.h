/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONTROL_METHODS_H
#define SVTREE_CONTROL_METHODS_H

#include "control.h"

/* What the files with methods share: parameters, answers, and the methods
 * that lie apart from the table. */

/* Token of a parameter by name, -1 when it is not given. */
int control_param(const struct call *c, const char *name);
/* A parameter's text. 0, or -1 when it is not given, no string or too long. */
int control_text(const struct call *c, const char *name, char *dst,
    size_t cap);
/* Answers that this parameter is not as it should be. */
void control_invalid(struct call *c, const char *name);
/* Answers with an empty object. */
void control_done(struct call *c);

void control_reload(struct call *c);
void control_report(struct call *c);
void control_subscribe(struct call *c);
void control_shutdown(struct call *c);
void control_upgrade(struct call *c);
void control_detach(struct call *c);
void control_status(struct call *c);

#endif
