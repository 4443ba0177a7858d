/* SPDX-License-Identifier: ISC */
/*
 * Which word was meant. Pure.
 */
#include <string.h>

#include "svctl.h"

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/* Changes of one letter that lead from a to b. */
static int
distance(const char *a, const char *b)
{
	int row[64], i, k, corner, above, n = (int)strlen(b);

	if (n > 62)
		return 63;
	for (k = 0; k <= n; k++)
		row[k] = k;
	for (i = 0; a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (k = 0; k < n; k++) {
			above = row[k + 1];
			row[k + 1] = least(corner + (a[i] != b[k]),
			    least(above, row[k]) + 1);
			corner = above;
		}
	}
	return row[n];
}

/* The start of a long name is a hint as well: knowledge_n; and its middle. */
static int
how_far(const char *word, const char *name)
{
	size_t n = strlen(word);

	if (n >= 3 && strncmp(word, name, n) == 0)
		return 1;
	if (n >= 5 && strstr(name, word) != NULL)	/* PROJECT-NAME-1 */
		return 2;
	return distance(word, name);
}

const char *
ctl_nearest(const char *word, const char *const *list)
{
	int best = 2 + (int)strlen(word) / 2, d;
	const char *found = NULL;

	for (; *list != NULL; list++) {
		d = how_far(word, *list);
		if (d < best) {
			best = d;
			found = *list;
		}
	}
	return best > 3 ? NULL : found;
}
