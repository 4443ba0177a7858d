/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_DIE_H
#define SVTREE_DIE_H

/* Only a file with a main may include this: nothing else ends a process. */

/* Exit codes of every program but svctl (daemontools' convention). */
#define EXIT_NO		1	/* the answer is no */
#define EXIT_USAGE	100	/* used wrongly; trying again cannot help */
#define EXIT_SYSTEM	111	/* the system failed; trying again may help */

/* "PROGRAM: fatal: ...: text of errno", then exit with code. */
void die(int code, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));
/* The same without the text of errno. */
void diex(int code, const char *fmt, ...)
    __attribute__((noreturn, format(printf, 2, 3)));

#endif
