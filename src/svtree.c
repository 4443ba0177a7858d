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
#include <grp.h>
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
#include "tree_dirs.h"
#include "upgrade.h"

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
"  --group NAME  members of this group may see the status too (default:\n"
"                the group that svtree runs as)\n"
"  --preflight   only say whether this program could take over that tree\n"
"  -h, --help    this text        -V, --version\n"
"\n"
"Exit: 0 stopped as told, 100 used wrongly or the services are in error,\n"
"111 the system failed. See svtree(8), svtree.conf(5), svctl(8).\n";

static const struct option options[] = {
	{ "run", required_argument, NULL, 'r' },
	{ "state", required_argument, NULL, 's' },
	{ "log", required_argument, NULL, 'l' },
	{ "group", required_argument, NULL, 'g' },
	{ "preflight", no_argument, NULL, 'p' },
	{ "resume", no_argument, NULL, 'R' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

enum mode { START, PREFLIGHT, RESUME };

static struct tree tree;

/* Standard descriptors must be something, or sockets would take their
 * numbers; all others that we were given are nobody's. */
static void
clean_descriptors(enum mode mode)
{
	int fd;

	do {
		if ((fd = open("/dev/null", O_RDWR)) < 0)
			_exit(EXIT_SYSTEM);
	} while (fd <= 2);
	(void)close(fd);
	if (mode != RESUME)	/* those that an upgrade let through are ours */
		os_close_from(3);
}

/* A directory of the command line; the run directory is short, as a socket's
 * path is. */
static void
take_dir(char *dst, size_t cap, const char *what)
{
	if (strlcpy(dst, what, cap) >= cap)
		diex(EXIT_USAGE, "%s: the path is too long (at most %zu "
		    "bytes)", what, cap - 1);
}

static void
take_group(struct tree *t, const char *name)
{
	const struct group *gr = getgrnam(name);

	if (gr == NULL)
		diex(EXIT_USAGE, "--group: no group %s here; getent group "
		    "lists them", name);
	t->readers = gr->gr_gid;
	(void)strlcpy(t->group, name, sizeof t->group);
}

static enum mode
take_option(struct tree *t, int c, enum mode mode)
{
	switch (c) {
	case 'r':
		take_dir(t->run, sizeof t->run, optarg);
		return mode;
	case 's':
		take_dir(t->state, sizeof t->state, optarg);
		return mode;
	case 'l':
		take_dir(t->log, sizeof t->log, optarg);
		return mode;
	case 'g':
		take_group(t, optarg);
		return mode;
	case 'p':
		return PREFLIGHT;
	case 'R':
		return RESUME;
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
}

static enum mode
take_arguments(struct tree *t, int argc, char **argv)
{
	enum mode mode = START;
	char err[CONF_ERR_LEN];
	int c;

	t->readers = getegid();
	if (tree_dirs_default(t, err) < 0)
		diex(EXIT_USAGE, "%s", err);
	while ((c = getopt_long(argc, argv, "hV", options, NULL)) != -1)
		mode = take_option(t, c, mode);
	if (argc - optind > 1)
		diex(EXIT_USAGE, "one SERVICES_DIR, not %d", argc - optind);
	if (optind < argc)
		take_dir(t->services, sizeof t->services, argv[optind]);
	if (t->run[0] == '\0')
		diex(EXIT_USAGE, "no run directory: give --run DIR");
	return mode;
}

static void
settle_dirs(struct tree *t, bool make)
{
	char err[CONF_ERR_LEN];

	if (tree_dirs_settle(t->run, sizeof t->run, make, err) < 0 ||
	    tree_dirs_settle(t->state, sizeof t->state, make, err) < 0 ||
	    tree_dirs_settle(t->log, sizeof t->log, make, err) < 0 ||
	    tree_dirs_settle(t->services, sizeof t->services, false, err) < 0)
		diex(EXIT_USAGE, "%s", err);
}

/* One supervisor a run directory. A POSIX lock: it names its holder, and a
 * child in limbo does not inherit it. The descriptor stays open, and the
 * file is never opened again: closing a second one would drop the lock. */
static void
take_lock(struct tree *t)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[TREE_PATH_MAX + 16];

	(void)snprintf(path, sizeof path, "%s/lock", t->run);
	if (t->lock_fd < 0)	/* not let through by an upgrade */
		t->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (t->lock_fd < 0)
		die(EXIT_SYSTEM, "open %s", path);
	if (fcntl(t->lock_fd, F_SETLK, &fl) == 0)
		return;
	if (fcntl(t->lock_fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK)
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
open_all(struct tree *t, enum mode mode)
{
	static const int signals[] = { SIGCHLD, SIGHUP, SIGTERM, SIGINT,
	    SIGUSR1, 0 };
	char err[CONF_ERR_LEN];

	settle_dirs(t, true);
	t->watch_fd = -1;
	t->lock_fd = mode == RESUME ? upgrade_lock(t) : -1;
	take_lock(t);
	link_logs(t);
	/* Ignored by who started us, it would reap our children unseen. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTTOU, SIG_IGN);
	os_files_raise();
	if (os_open() < 0 || os_signals(signals) < 0)
		die(EXIT_SYSTEM, "prepare the wait");
	os_subreaper();
	if (geteuid() == 0)	/* what all else hangs on goes last */
		(void)os_oom_score(-900);
	if (tree_open(t, err) < 0)
		diex(EXIT_SYSTEM, "%s", err);
	if (tree_load(t, print_error, NULL, NULL) < 0)
		diex(EXIT_USAGE, "%s: not started; mend the errors above",
		    t->services);
	t->resumed = mode == RESUME && upgrade_resume(t);
	if (control_open(t) < 0)
		die(EXIT_SYSTEM, "make %s/control", t->run);
}

/* What a supervisor asks of the program that is to replace it. Touches
 * nothing. */
static int
preflight(struct tree *t)
{
	struct conf_tree conf;
	struct table table;
	char path[TREE_PATH_MAX + 16];

	settle_dirs(t, false);
	(void)snprintf(path, sizeof path, "%s/table", t->run);
	if (table_open_read(&table, path) < 0)
		die(EXIT_SYSTEM, "read %s", path);
	table_close(&table);
	if (conf_load(&conf, t->services, print_error, NULL) < 0)
		diex(EXIT_USAGE, "%s: mend the errors above first",
		    t->services);
	conf_free(&conf);
	log_info(PACKAGE_VERSION " can take over");
	return 0;
}

int
main(int argc, char **argv)
{
	struct os_event ev[64];
	enum mode mode;
	int i, n;

	log_open("svtree");
	mode = take_arguments(&tree, argc, argv);
	if (mode == PREFLIGHT)
		return preflight(&tree);
	clean_descriptors(mode);
	(void)umask(022);
	upgrade_open(argv[0]);
	open_all(&tree, mode);
	log_info("%s: %d services, run directory %s", tree.services,
	    tree.n, tree.run);
	tree_adopt(&tree);
	tree_mend(&tree);	/* begins to watch the run directory */
	if (tree.resumed)	/* what ended between the two programs */
		(void)raise(SIGCHLD);
	(void)notify_send("READY=1");	/* as a service of another tree */
	/* From here on nothing but a shutdown ends us. */
	while (!tree.done) {
		n = os_wait(tree_deadline(&tree), ev, (int)nitems(ev));
		for (i = 0; i < n; i++)
			tree_dispatch(&tree, &ev[i]);
		tree_step(&tree);
	}
	control_close(&tree);
	log_info(tree.detached ? "the services run on; bye" :
	    "all services are down; bye");
	return 0;
}
