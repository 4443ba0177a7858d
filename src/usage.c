/* SPDX-License-Identifier: ISC */
/*
 * Help, version and wrong use of the command line, the same in every program.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "die.h"
#include "usage.h"

void
usage_wrong(const struct usage *u)
{
	(void)fputs(u->text, stderr);
	exit(EXIT_USAGE);
}

int
usage_next(const struct usage *u, int argc, char **argv)
{
	int c = getopt_long(argc, argv, u->letters, u->options, NULL);

	switch (c) {
	case 'h':
		(void)fputs(u->text, stdout);
		exit(0);
	case 'V':
		(void)printf("%s " PACKAGE_VERSION "\n", u->program);
		exit(0);
	case '?':
		usage_wrong(u);
	}
	return c;
}

void
usage_no_operand(int argc, char **argv)
{
	if (optind < argc)
		diex(EXIT_USAGE, "%s: no argument is taken", argv[optind]);
}
