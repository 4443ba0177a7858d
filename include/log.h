/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_LOG_H
#define SVTREE_LOG_H

/*
 * Messages to standard error, one line each: "PROGRAM: what happened".
 * Warnings read "PROGRAM: warning: ...". errno is kept by every call.
 */

/* Names the program; name must stay valid (a literal). */
void log_open(const char *name);
const char *log_name(void);

void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Adds ": " and the text of errno. */
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
