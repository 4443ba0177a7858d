/* SPDX-License-Identifier: ISC */
/*
 * Is svctl called as sv?
 */
#include <string.h>

#include "svctl_sv.h"

int
sv_called(int argc, char **argv, const char **run)
{
	const char *slash = strrchr(argv[0], '/');
	int i;

	*run = NULL;
	if (strcmp(slash != NULL ? slash + 1 : argv[0], "sv") == 0)
		return 1;
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--run") == 0 && i + 1 < argc)
			*run = argv[++i];
		else if (strncmp(argv[i], "--run=", 6) == 0)
			*run = argv[i] + 6;
		else
			break;
	}
	if (i == argc || strcmp(argv[i], "sv") != 0)
		return 0;
	/* The help is that of svctl's other verbs. */
	if (i + 1 < argc && (strcmp(argv[i + 1], "--help") == 0 ||
	    strcmp(argv[i + 1], "-h") == 0))
		return 0;
	return i + 1;
}
