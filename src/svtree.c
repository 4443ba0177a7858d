/* SPDX-License-Identifier: ISC */
/*
 * The supervisor: reads the tree, adopts what runs, starts what is wanted,
 * and then does what events ask for until it is told to stop. After start-up
 * nothing ends it but a shutdown.
 */
#include "config.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "control.h"
#include "die.h"
#include "log.h"
#include "os.h"
#include "service.h"

static const char usage_text[] =
"usage: svtree [--run DIR] [--state DIR] [--log DIR] [SERVICES_DIR]\n"
"\n"
"Starts and keeps the services of a directory. Runs in the foreground;\n"
"SIGTERM stops all services and ends it, SIGHUP reads the directory again.\n"
"\n"
"  --run DIR     sockets, locks, records ($SVTREE_RUN; else root:\n"
"                /run/svtree or /var/run/svtree; others:\n"
"                $XDG_RUNTIME_DIR/svtree or ~/.svtree/run)\n"
"  --state DIR   what is disabled (root: /var/lib/svtree; else\n"
"                ~/.svtree/state)\n"
"  --log DIR     logs (root: /var/log/svtree; else ~/.svtree/log)\n"
"  SERVICES_DIR  default: root: /etc/svtree/services; else\n"
"                ~/.svtree/services\n"
"  -h, --help    this text        -V, --version\n"
"\n"
"Exit: 0 stopped as told, 100 used wrongly or the services are in error,\n"
"111 the system failed. See svtree(8), svtree.conf(5), svctl(8).\n";

static const struct option options[] = {
	{ "run", required_argument, NULL, 'r' },
	{ "state", required_argument, NULL, 's' },
	{ "log", required_argument, NULL, 'l' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static struct tree tree;

/* Standard descriptors must be something, or sockets would take their
 * numbers; all others that we were given are nobody's. */
static void
clean_descriptors(void)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) < 0)
			_exit(EXIT_SYSTEM);
	} while (fd <= 2);
	os_close_from(3);
}

static void
default_dir(char *dst, size_t cap, const char *root_dir, const char *name)
{
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		(void)snprintf(dst, cap, "%s", root_dir);
	else
		(void)snprintf(dst, cap, "%s/.svtree/%s",
		    home != NULL ? home : "", name);
}

/* Makes dir and its parents and its name absolute. */
static void
settle_dir(char *dir, size_t cap, bool make)
{
	char path[PATH_MAX], *p;

	if (strlen(dir) >= sizeof path)
		diex(EXIT_USAGE, "%s: too long", dir);
	(void)snprintf(path, sizeof path, "%s", dir);
	for (p = path + 1; make && *p != '\0'; p++)
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(path, 0755);
			*p = '/';
		}
	if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
		die(EXIT_SYSTEM, "make directory %s", path);
	if (realpath(dir, path) == NULL)
		die(EXIT_USAGE, "directory %s", dir);
	if (strlen(path) >= cap)
		diex(EXIT_USAGE, "%s: the path is too long (at most %zu "
		    "bytes)", path, cap - 1);
	(void)snprintf(dir, cap, "%s", path);
}

static void
take_arguments(struct tree *t, int argc, char **argv)
{
	char run[PATH_MAX] = "";
	int c;

	default_dir(t->state, sizeof t->state, "/var/lib/svtree", "state");
	default_dir(t->log, sizeof t->log, "/var/log/svtree", "log");
	default_dir(t->services, sizeof t->services, "/etc/svtree/services",
	    "services");
	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		switch (c) {
		case 'r':
			(void)snprintf(run, sizeof run, "%s", optarg);
			break;
		case 's':
			(void)snprintf(t->state, sizeof t->state, "%s",
			    optarg);
			break;
		case 'l':
			(void)snprintf(t->log, sizeof t->log, "%s", optarg);
			break;
		case 'h':
			(void)fputs(usage_text, stdout);
			exit(0);
		case 'V':
			(void)puts("svtree " PACKAGE_VERSION);
			exit(0);
		default:
			(void)fputs(usage_text, stderr);
			exit(EXIT_USAGE);
		}
	if (argc - optind > 1)
		diex(EXIT_USAGE, "one SERVICES_DIR, not %d", argc - optind);
	if (optind < argc)
		(void)snprintf(t->services, sizeof t->services, "%s",
		    argv[optind]);
	if (run[0] == '\0' && client_run_dir(NULL, run, sizeof run) < 0)
		diex(EXIT_USAGE, "no run directory: give --run DIR");
	if (strlen(run) >= sizeof t->run)
		diex(EXIT_USAGE, "%s: the run directory's path is too long "
		    "for a socket below it (at most %zu bytes)", run,
		    sizeof t->run - 1);
	(void)snprintf(t->run, sizeof t->run, "%s", run);
}

/* One supervisor a run directory. A POSIX lock: it names its holder, and a
 * child in limbo does not inherit it. The descriptor stays open, and the
 * file is never opened again: closing a second one would drop the lock. */
static void
take_lock(const struct tree *t)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[TREE_PATH_MAX + 16];
	int fd;

	(void)snprintf(path, sizeof path, "%s/lock", t->run);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		die(EXIT_SYSTEM, "open %s", path);
	if (fcntl(fd, F_SETLK, &fl) == 0)
		return;
	if (fcntl(fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK)
		diex(EXIT_USAGE, "another supervisor (pid %d) runs on %s",
		    (int)fl.l_pid, t->run);
	die(EXIT_SYSTEM, "lock %s", path);
}

/* Where svctl, which is given the run directory alone, finds the logs. */
static void
link_logs(const struct tree *t)
{
	char path[TREE_PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/logdir", t->run);
	(void)unlink(path);
	if (symlink(t->log, path) < 0)
		log_warn("link %s", path);
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	log_warnx("%s", line);
}

static void
open_all(struct tree *t)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT,
	    SIGUSR1, 0 };
	char err[CONF_ERR_LEN];

	settle_dir(t->run, sizeof t->run, true);
	settle_dir(t->state, sizeof t->state, true);
	settle_dir(t->log, sizeof t->log, true);
	settle_dir(t->services, sizeof t->services, false);
	take_lock(t);
	link_logs(t);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	if (os_open() < 0 || os_signals(signals) < 0)
		die(EXIT_SYSTEM, "prepare the wait");
	os_subreaper();
	if (tree_open(t, err) < 0)
		diex(EXIT_SYSTEM, "%s", err);
	if (tree_load(t, print_error, NULL, NULL) < 0)
		diex(EXIT_USAGE, "%s: not started; mend the errors above",
		    t->services);
	if (control_open(t) < 0)
		die(EXIT_SYSTEM, "make %s/control", t->run);
}

int
main(int argc, char **argv)
{
	struct os_event ev[64];
	int i, n;

	log_open("svtree");
	clean_descriptors();
	(void)umask(022);
	take_arguments(&tree, argc, argv);
	open_all(&tree);
	log_info("%s: %d services, run directory %s", tree.services,
	    tree.n, tree.run);
	tree_adopt(&tree);
	/* From here on nothing but a shutdown ends us. */
	while (!tree.done) {
		n = os_wait(tree_deadline(&tree), ev, (int)nitems(ev));
		for (i = 0; i < n; i++)
			tree_dispatch(&tree, &ev[i]);
		tree_step(&tree);
	}
	control_close(&tree);
	log_info("all services are down; bye");
	return 0;
}
