/* SPDX-License-Identifier: ISC */
/*
 * The definitions that are shipped as examples, with all their comments, for
 * svctl init and adopt-compose to write.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "svctl_adopt.h"
#include "svctl_edit.h"

static const struct {
	const char *name, *text;
} examples[] = {
#include "examples_text.h"
};

const char *
example_text(const char *name)
{
	size_t i;

	for (i = 0; i < nitems(examples); i++)
		if (strcmp(examples[i].name, name) == 0)
			return examples[i].text;
	return NULL;
}

int
example_write(const char *dir, const char *name, const char *text)
{
	char path[1200];

	(void)snprintf(path, sizeof path, "%s/%s/service.conf", dir, name);
	if (access(path, F_OK) == 0) {
		(void)printf("  %-26s is there already, left as it is\n",
		    name);
		return 1;
	}
	if (edit_write(path, text, 0644) < 0)
		return -1;
	(void)printf("  %-26s written\n", name);
	return 0;
}
