/* SPDX-License-Identifier: ISC */
/*
 * The logger of a tree: one loop over the FIFOs of all services. Each of them
 * gets a bounded turn; a full disk or a chatty neighbour holds up nobody.
 */
#include "config.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "die.h"
#include "log.h"
#include "os.h"
#include "oslog.h"
#include "svlog.h"

#define STREAMS_MAX	16384
#define DRAIN_MS	2000	/* at most, on the way out */

static const char usage_text[] =
"usage: svlog [--run DIR] [--log DIR] [SERVICES_DIR]\n"
"\n"
"Writes what the services of a tree print to LOG/NAME/current and rotates\n"
"it. Started by svtree; the options default to $SVTREE_RUN, $SVTREE_LOG and\n"
"$SVTREE_SERVICES. SIGHUP looks for new services, SIGTERM writes what there\n"
"is and ends. See svlog(8).\n"
"\n"
"  -h, --help    this text        -V, --version\n";

static const struct option options[] = {
	{ "run", required_argument, NULL, 'r' },
	{ "log", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

struct stream {
	char	name[CONF_NAME_MAX + 1];
	int	fifo;
	struct svlog_file file;
};

static struct {
	const char *run, *log, *services;
	struct stream **stream;
	int	 n;
	bool	 ending;
} all;

static const struct conf_log defaults = {
	.max_size = 10 << 20, .total = 100 << 20, .keep = 10,
	.timestamps = true,
};

static struct stream *
find(const char *name)
{
	int i;

	for (i = 0; i < all.n; i++)
		if (strcmp(all.stream[i]->name, name) == 0)
			return all.stream[i];
	return NULL;
}

static int
index_of(const struct stream *s)
{
	int i = 0;

	while (all.stream[i] != s)
		i++;
	return i;
}

/* One turn of one service. Returns the bytes it had. */
static size_t
pump(struct stream *s)
{
	static char in[OSLOG_BATCH], mem[4 * OSLOG_BATCH];
	char stamp[SVLOG_STAMP];
	int64_t now = os_wall_us();
	struct buf out;
	size_t taken, n;
	ssize_t got;
	bool open;

	got = oslog_peek(s->fifo, in);
	if (got < 0)
		log_warn("%s: read its FIFO", s->name);
	if (got <= 0)
		return 0;
	n = (size_t)got;
	/* A batch that was cut in a line: its end comes with the next one. */
	if (n == OSLOG_BATCH)
		while (n > OSLOG_BATCH / 2 && in[n - 1] != '\n')
			n--;
	if (in[n - 1] != '\n')
		n = (size_t)got;
	svlog_stamp(stamp, now);
	svlog_file_open(&s->file, now);
	buf_init(&out, mem, sizeof mem);
	open = s->file.open;
	taken = svlog_lines(&out, in, n, &open,
	    s->file.conf.timestamps ? stamp : NULL);
	svlog_file_write(&s->file, out.base, out.len, now);
	if (oslog_consume(s->fifo, taken) < 0)
		log_warn("%s: consume %zu bytes", s->name, taken);
	return taken;
}

static int
open_fifo(const char *name)
{
	char path[1200];
	struct stat st;
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s/log", all.run, name);
	if (lstat(path, &st) < 0 || !S_ISFIFO(st.st_mode))
		return -1;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		log_warn("open %s", path);
	return fd;
}

/* The FIFO of that name may be another one by now. */
static bool
is_current(const struct stream *s)
{
	struct stat a, b;
	char path[1200];

	(void)snprintf(path, sizeof path, "%s/%s/log", all.run, s->name);
	return fstat(s->fifo, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

static void
add(const char *name)
{
	struct stream *s = find(name);
	int fd;

	if (s != NULL && is_current(s))
		return;
	if (all.n == STREAMS_MAX || strlen(name) > CONF_NAME_MAX ||
	    (fd = open_fifo(name)) < 0)
		return;
	if (s != NULL) {
		while (pump(s) > 0)
			continue;
		(void)os_watch(s->fifo, 0, 0);
		(void)close(s->fifo);
	} else {
		s = calloc(1, sizeof *s);
		if (s == NULL) {
			(void)close(fd);
			return;
		}
		(void)snprintf(s->name, sizeof s->name, "%s", name);
		svlog_file_init(&s->file, all.log, name);
		s->file.conf = defaults;
		/* The supervisor's lines carry their own time. */
		s->file.conf.timestamps = strcmp(name, "svtree") != 0;
		all.stream[all.n++] = s;
	}
	s->fifo = fd;
	if (os_watch(fd, OS_READ, (uint32_t)index_of(s)) < 0)
		log_warn("%s: watch its FIFO", name);
}

static void
ignore(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

/* Every FIFO below the run directory; the definitions only say how. */
static void
scan(void)
{
	const struct conf_service *sv;
	struct conf_tree tree;
	struct dirent *e;
	DIR *d = opendir(all.run);
	int i;

	if (d == NULL) {
		log_warn("read %s", all.run);
		return;
	}
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			add(e->d_name);
	(void)closedir(d);
	if (conf_load_partly(&tree, all.services, ignore, NULL) >= 0) {
		for (i = 0; i < all.n; i++)
			if ((sv = conf_find(&tree, all.stream[i]->name)) !=
			    NULL)
				all.stream[i]->file.conf = sv->log;
		conf_free(&tree);
	}
	for (i = 0; i < all.n; i++)
		svlog_file_trim(&all.stream[i]->file);
}

static void
drain(void)
{
	int64_t deadline = os_now_ms() + DRAIN_MS;
	size_t sum;
	int i;

	do {
		for (sum = 0, i = 0; i < all.n; i++)
			sum += pump(all.stream[i]);
	} while (sum > 0 && os_now_ms() < deadline);
}

static void
take_arguments(int argc, char **argv)
{
	int c;

	all.run = getenv("SVTREE_RUN");
	all.log = getenv("SVTREE_LOG");
	all.services = getenv("SVTREE_SERVICES");
	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		switch (c) {
		case 'r':
			all.run = optarg;
			break;
		case 'l':
			all.log = optarg;
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(0);
		case 'V':
			(void)puts("svlog " PACKAGE_VERSION);
			exit(0);
		default:
			(void)fputs(usage_text, stderr);
			exit(EXIT_USAGE);
		}
	if (optind < argc)
		all.services = argv[optind];
	if (all.run == NULL || all.log == NULL || all.services == NULL)
		diex(EXIT_USAGE, "--run, --log and SERVICES_DIR are needed "
		    "when svtree has not set them");
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
	struct os_event ev[64];
	int i, n;

	log_open("svlog");
	take_arguments(argc, argv);
	(void)umask(027);
	(void)signal(SIGPIPE, SIG_IGN);
	all.stream = calloc(STREAMS_MAX, sizeof *all.stream);
	if (all.stream == NULL || os_open() < 0 || os_signals(signals) < 0 ||
	    oslog_open() < 0)
		die(EXIT_SYSTEM, "prepare the loop");
	scan();
	while (!all.ending) {
		n = os_wait(-1, ev, (int)nitems(ev));
		for (i = 0; i < n; i++)
			if (!(ev[i].what & OS_SIGNAL))
				(void)pump(all.stream[ev[i].tag]);
			else if (ev[i].signo == SIGHUP)
				scan();
			else
				all.ending = true;
	}
	drain();
	return 0;
}
