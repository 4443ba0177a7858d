/* SPDX-License-Identifier: ISC */
/*
 * svctl recover: runs the oneshot of that name and shows what it prints as
 * it prints it. A run that is under way already is joined.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "svctl.h"

#define CALL_MS		10000
#define SLICE_MS	50	/* between two looks at its log */
#define NAME		"recover"

struct run {
	struct sv sv;
	bool	 known;
};

static void
take(void *arg, const struct sv *sv)
{
	struct run *run = arg;

	run->sv = *sv;
	run->known = true;
}

/* Its log from the present end on; -1 when there is none yet. */
static int
open_log(struct ctl *c, char *path, size_t cap)
{
	char dir[1024];
	int fd;

	if (ctl_log_dir(c, NAME, dir, sizeof dir) < 0)
		return -1;
	(void)snprintf(path, cap, "%s/current", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd;
}

/* Without the stamp that svlog has put before. */
static void
print_lines(char *bytes)
{
	char *line, *text;

	while ((line = strsep(&bytes, "\n")) != NULL) {
		text = strstr(line, "Z ");
		if (text != NULL && text - line == 26)
			line = text + 2;
		if (line[0] != '\0')
			(void)printf("%s\n", line);
	}
	(void)fflush(stdout);
}

static void
show_new(int fd)
{
	char bytes[16384];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, bytes, sizeof bytes - 1)) > 0) {
		bytes[n] = '\0';
		print_lines(bytes);
	}
}

static bool
is_over(struct ctl *c, const struct run *before, struct run *now)
{
	char *name = (char *)NAME;

	if (ctl_fetch(c, &name, 1, take, now, false) != CTL_OK)
		return true;
	return strcmp(now->sv.state, "DOWN") == 0 &&
	    strcmp(now->sv.exit_at, before->sv.exit_at) != 0;
}

static int
watch(struct ctl *c, int fd, char *path, size_t cap, const struct run *before)
{
	int64_t deadline = ctl_now_ms() + c->timeout_ms, slice;
	struct run now = *before;
	int rc;

	while (!is_over(c, before, &now)) {
		slice = ctl_now_ms() + SLICE_MS;
		rc = ctl_next_event(c, slice < deadline ? slice : deadline);
		if (rc < 0)
			return -rc;
		if (fd < 0)
			fd = open_log(c, path, cap);
		show_new(fd);
		if (ctl_now_ms() >= deadline) {
			(void)fprintf(stderr, "svctl: recover is still at "
			    "work; svctl logs -f recover goes on\n");
			return CTL_TIMEOUT;
		}
	}
	/* svlog may be a moment behind the end of the run. */
	(void)ctl_next_event(c, ctl_now_ms() + SLICE_MS);
	show_new(fd);
	if (fd >= 0)
		(void)close(fd);
	return strcmp(now.sv.exit_kind, "exit") == 0 &&
	    now.sv.exit_code == 0 ? CTL_OK : CTL_FAILED;
}

int
svctl_recover(struct ctl *c)
{
	char err[CLIENT_ERR_LEN], path[1100], *name = (char *)NAME;
	struct run before = { .known = false };
	struct client_reply r;
	bool started = true;
	int fd, rc;

	if ((rc = ctl_subscribe(c)) != CTL_OK || (rc = ctl_fetch(c, &name, 1,
	    take, &before, false)) != CTL_OK)
		return rc;
	fd = open_log(c, path, sizeof path);
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_END);
	if (client_call(&c->client, "Once", "{\"name\":\"" NAME "\"}", &r,
	    CALL_MS, err) < 0)
		return ctl_tell(c, &r, err, NAME);
	(void)json_bool(&r.json, json_get(&r.json, r.params, "started"),
	    &started);
	if (!started)
		(void)fprintf(stderr, "svctl: a recovery is under way; "
		    "joining it\n");
	return c->no_wait ? CTL_OK : watch(c, fd, path, sizeof path, &before);
}
