/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_VERBS_H
#define SVTREE_SVCTL_VERBS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What can be typed: the verbs, the options, and which go together. --help,
 * the reading of the command line, the completions of three shells and the
 * test of the manual page all come from here. What a verb does stands beside
 * the mains (svctl.c, svctl_more.c), by its name.
 */
enum opt {
	OPT_RUN, OPT_HOST, OPT_JSON, OPT_QUIET, OPT_NO_WAIT, OPT_TIMEOUT,
	OPT_TREE, OPT_NAMES, OPT_FOLLOW, OPT_LINES, OPT_SINCE, OPT_GREP,
	OPT_UP, OPT_DOWN, OPT_HEALTHY, OPT_DRY_RUN,
	OPT_YES, OPT_PRINT, OPT_USER, OPT_SYSTEM, OPT_MANAGER, OPT_CRITICAL,
	OPT_SERVICES, OPT_ROOT, OPT_DEEP, OPT_HELP, OPT_VERSION, OPT_COUNT
};
#define OPT(x)	(UINT32_C(1) << OPT_##x)

/* What stands behind an option or a verb, for the check and completion. */
enum word {
	WORD_NONE, WORD_SERVICE, WORD_VERB, WORD_SIGNAL, WORD_SHELL,
	WORD_DIR, WORD_FILE, WORD_HOST, WORD_COUNT, WORD_DURATION,
	WORD_TIME, WORD_PATTERN, WORD_MANAGER
};

struct opt_row {
	const char *name;
	char	 letter;	/* 0: none */
	const char *arg;	/* NULL: takes none */
	enum word word;
	const char *help;
};

struct verb {
	const char *name, *args, *help;
	const char *group;	/* under which --help lists it */
	int	 min, max;	/* words; max -1: any number */
	enum word words;
	uint32_t options;	/* beside those of all verbs */
	const char *method;	/* of org.svtree, or NULL */
	bool	 more;		/* done by svctl-more */
};

#define OPTIONS_OF_ALL	(OPT(RUN) | OPT(HOST) | OPT(JSON) | OPT(QUIET) | \
	OPT(HELP) | OPT(VERSION))

extern const struct opt_row svctl_options[OPT_COUNT];
extern const struct verb svctl_verbs[];	/* ends with a NULL name */

/* By name; NULL when there is none. */
const struct verb *verb_find(const char *name);

#endif
