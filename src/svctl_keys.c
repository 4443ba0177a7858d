/* SPDX-License-Identifier: ISC */
/*
 * svctl keys: the table of keys of service.conf, as svtree.conf(5) tells it
 * at length.
 */
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "svctl.h"

int
svctl_keys(struct ctl *c)
{
	const struct conf_key_help *k;
	const char *section = "";
	int i;

	(void)c;
	for (i = 0; (k = conf_key_help(i)) != NULL; i++) {
		if (strcmp(section, k->section) != 0)
			(void)printf("%s[%s]\n", i == 0 ? "" : "\n",
			    k->section);
		section = k->section;
		(void)printf("%-18s %-10s %-8s %s\n", k->key, k->kind,
		    k->deflt[0] != '\0' ? k->deflt : "-", k->help);
	}
	return CTL_OK;
}
