/* SPDX-License-Identifier: ISC */
/*
 * A service.conf with anything in it. It is refused with a reason that names
 * the file, or read; read twice it is the same.
 */
#include <sys/stat.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "fuzz.h"

static char dir[64];
static int reports;

static void
end(void)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/s/service.conf", dir);
	(void)unlink(path);
	(void)snprintf(path, sizeof path, "%s/s", dir);
	(void)rmdir(path);
	(void)rmdir(dir);
}

static void
begin(void)
{
	char path[128];

	(void)snprintf(dir, sizeof dir, "/tmp/svfuzz.XXXXXX");
	PROMISE(mkdtemp(dir) != NULL, "no directory");
	(void)snprintf(path, sizeof path, "%s/s", dir);
	(void)mkdir(path, 0755);
	(void)atexit(end);
}

static void
report(void *arg, const char *line)
{
	(void)arg;
	reports++;
	PROMISE(strncmp(line, "s", 1) == 0, "names no file: %s", line);
	PROMISE(strlen(line) < CONF_ERR_LEN + 200, "long: %s", line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct conf_tree one, two;
	char path[128];
	int fd, rc;

	if (dir[0] == '\0')
		begin();
	(void)snprintf(path, sizeof path, "%s/s/service.conf", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	PROMISE(fd >= 0 && write(fd, bytes, n) == (ssize_t)n, "no file");
	(void)close(fd);
	reports = 0;
	rc = conf_load(&one, dir, report, NULL);
	PROMISE((rc < 0) == (reports > 0), "%d with %d errors", rc, reports);
	if (rc < 0)
		return 0;
	PROMISE(conf_load(&two, dir, report, NULL) == 0, "once only");
	PROMISE(one.n == 1 && two.n == 1 && one.service[0].fingerprint ==
	    two.service[0].fingerprint, "another one");
	conf_free(&one);
	conf_free(&two);
	return 0;
}
