/* SPDX-License-Identifier: ISC */
/*
 * [log] of one service for the logger, which must not carry along what checks
 * a whole tree.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "conf_private.h"

int
conf_load_log(const char *dir, const char *name, struct conf_log *log)
{
	struct conf_service sv = { .name = NULL };
	struct conf_tree tree = { .n = 0 };
	struct conf_reader rd = { .tree = &tree, .sv = &sv };
	char path[PATH_MAX];
	FILE *file;

	conf_defaults(&sv);
	(void)snprintf(path, sizeof path, "%s/%s/service.conf", dir, name);
	file = fopen(path, "re");
	if (file == NULL && errno != ENOENT && errno != ENOTDIR)
		return -1;
	if (file != NULL) {
		conf_read_file(&rd, file);
		(void)fclose(file);
	}
	if (rd.errors == 0)
		*log = *sv.log;
	conf_free(&tree);
	return rd.errors == 0 ? 0 : -1;
}
