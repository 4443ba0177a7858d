/* SPDX-License-Identifier: ISC */
/*
 * Reading logs: the files that svlog writes, oldest first, and current as it
 * grows, through rotations.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"

#define DEFAULT_LINES	20
#define FILES_MAX	4096
#define NAME_LEN	64
#define FOLLOW_MS	100	/* no event for this on every system */
#define FOLLOWED_MAX	64

int
ctl_log_dir(struct ctl *c, const char *name, char *dst, size_t cap)
{
	char run[512];

	if (strchr(name, '/') != NULL || name[0] == '.' ||
	    client_run_dir(c->run, run, sizeof run) < 0)
		return -1;
	if ((size_t)snprintf(dst, cap, "%s/logdir/%s", run, name) >= cap)
		return -1;
	return access(dst, X_OK);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Rotated files by age, then current. */
static int
list(const char *dir, char (*name)[NAME_LEN])
{
	struct dirent *e;
	DIR *d = opendir(dir);
	size_t len;
	int n = 0;

	if (d == NULL)
		return 0;
	while (n < FILES_MAX - 1 && (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len > 4 && len < NAME_LEN && e->d_name[0] != '.' &&
		    strcmp(e->d_name + len - 4, ".log") == 0)
			(void)snprintf(name[n++], NAME_LEN, "%.63s",
			    e->d_name);
	}
	(void)closedir(d);
	qsort(name, (size_t)n, NAME_LEN, by_name);
	(void)snprintf(name[n++], NAME_LEN, "current");
	return n;
}

static int
each_line_of(const char *path, ctl_line *each, void *arg)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL)
		return -1;
	while ((n = getline(&line, &cap, f)) > 0)
		each(arg, line, (size_t)n);
	free(line);
	(void)fclose(f);
	return 0;
}

int
ctl_each_line(const char *dir, ctl_line *each, void *arg)
{
	static char name[FILES_MAX][NAME_LEN];
	int i, n = list(dir, name), found = 0;
	char path[1200];

	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%s/%.63s", dir, name[i]);
		found += each_line_of(path, each, arg) == 0;
	}
	return found > 0 ? 0 : -1;
}

/* The last lines of a log: counted in a first pass, printed in a second. */
struct tail {
	const char *prefix;
	FILE	*out;
	long	 seen, skip;
	bool	 counting;
};

static void
take_line(void *arg, const char *line, size_t len)
{
	struct tail *t = arg;

	if (t->counting) {
		t->seen++;
		return;
	}
	if (t->skip-- > 0)
		return;
	(void)fputs(t->prefix, t->out);
	(void)fwrite(line, 1, len, t->out);
	if (line[len - 1] != '\n')
		(void)fputc('\n', t->out);
}

static int
print_tail(const char *dir, long lines, const char *prefix, FILE *out)
{
	struct tail t = { .prefix = prefix, .out = out, .counting = true };

	if (ctl_each_line(dir, take_line, &t) < 0)
		return -1;
	t.counting = false;
	t.skip = t.seen > lines ? t.seen - lines : 0;
	return ctl_each_line(dir, take_line, &t);
}

void
ctl_print_tail(struct ctl *c, const char *name, int lines)
{
	char dir[1024];

	if (ctl_log_dir(c, name, dir, sizeof dir) == 0)
		(void)print_tail(dir, lines, "  | ", stderr);
}

struct followed {
	char	 path[1100], prefix[72];
	int	 fd;
	bool	 at_start;	/* of a line */
};

static void
put(struct followed *f, const char *bytes, ssize_t n)
{
	ssize_t i, from;

	for (i = from = 0; i < n; i++) {
		if (f->at_start)
			(void)fputs(f->prefix, stdout);
		f->at_start = bytes[i] == '\n';
		if (f->at_start || i + 1 == n) {
			(void)fwrite(bytes + from, 1, (size_t)(i + 1 - from),
			    stdout);
			from = i + 1;
		}
	}
}

static bool
was_rotated(const struct followed *f)
{
	struct stat a, b;

	return stat(f->path, &b) == 0 && (f->fd < 0 ||
	    fstat(f->fd, &a) < 0 || a.st_ino != b.st_ino);
}

/* What is new. The old file is read to its end before the next is opened. */
static void
read_on(struct followed *f)
{
	char bytes[65536];
	bool rotated = was_rotated(f);
	ssize_t n;

	while (f->fd >= 0 && (n = read(f->fd, bytes, sizeof bytes)) > 0)
		put(f, bytes, n);
	if (!rotated)
		return;
	if (f->fd >= 0)
		(void)close(f->fd);
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (f->fd >= 0)
		read_on(f);
}

static int
follow(struct followed *f, int n)
{
	int i;

	for (;;) {
		for (i = 0; i < n; i++)
			read_on(&f[i]);
		if (fflush(stdout) != 0)
			return CTL_OK;	/* the reader has gone */
		(void)poll(NULL, 0, FOLLOW_MS);
	}
}

static void
start_following(struct followed *f, const char *dir, const char *prefix)
{
	(void)snprintf(f->path, sizeof f->path, "%s/current", dir);
	(void)snprintf(f->prefix, sizeof f->prefix, "%s", prefix);
	f->at_start = true;
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
	if (f->fd >= 0)
		(void)lseek(f->fd, 0, SEEK_END);
}

int
svctl_logs(struct ctl *c)
{
	static struct followed f[FOLLOWED_MAX];
	char dir[1024], prefix[72];
	int i, rc = CTL_OK;

	if (c->n > FOLLOWED_MAX) {
		(void)fprintf(stderr, "svctl: at most %d names\n",
		    FOLLOWED_MAX);
		return CTL_USAGE;
	}
	for (i = 0; i < c->n; i++) {
		prefix[0] = '\0';
		if (c->n > 1)
			(void)snprintf(prefix, sizeof prefix, "%.60s | ",
			    c->name[i]);
		if (ctl_log_dir(c, c->name[i], dir, sizeof dir) < 0) {
			if (ctl_fetch(c, &c->name[i], 1, NULL, NULL, false) !=
			    CTL_OK)
				return CTL_NO_SERVICE;
			(void)fprintf(stderr, "svctl: %s has no log yet, or "
			    "it is not yours to read\n", c->name[i]);
			return CTL_FAILED;
		}
		start_following(&f[i], dir, prefix);
		if (print_tail(dir, c->lines >= 0 ? c->lines : DEFAULT_LINES,
		    prefix, stdout) < 0 && !c->follow)
			rc = CTL_FAILED;
	}
	return c->follow ? follow(f, c->n) : rc;
}
