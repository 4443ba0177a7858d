/* SPDX-License-Identifier: ISC */
/*
 * Is svctl called as sv?
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "svctl_sv.h"

static const char *
base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

const char *
sv_lsb_name(const char *argv0)
{
	char target[PATH_MAX];
	ssize_t n = readlink(argv0, target, sizeof target - 1);

	if (n <= 0 || strcmp(base_of(argv0), "sv") == 0)
		return NULL;
	target[n] = '\0';
	return strcmp(base_of(target), "sv") == 0 ? base_of(argv0) : NULL;
}

int
sv_called(int argc, char **argv, const char **run)
{
	int i;

	*run = NULL;
	if (strcmp(base_of(argv[0]), "sv") == 0 ||
	    sv_lsb_name(argv[0]) != NULL)
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
