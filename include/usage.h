/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_USAGE_H
#define SVTREE_USAGE_H

#include <getopt.h>

/* What every program does with its command line. It may end the process, so
 * only a file with a main may include this, as with die.h. */

struct usage {
	const char *program;		/* its name, for -V */
	const char *text;		/* "usage: ...", ends with \n */
	const char *letters;		/* both as getopt_long(3) takes them; */
	const struct option *options;	/* h and V are help and version */
};

/* The next option that is the program's own, with optarg; -1 after the last,
 * with optind. Help and version are printed and end the process with 0; what
 * is no option ends it with EXIT_USAGE and the text on standard error. */
int usage_next(const struct usage *u, int argc, char **argv);
/* The same end, for what is no option of the program's own. */
void usage_wrong(const struct usage *u) __attribute__((noreturn));
/* After the last option: ends the process when an argument is left. */
void usage_no_operand(int argc, char **argv);

#endif
