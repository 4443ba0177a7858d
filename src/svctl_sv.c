/* SPDX-License-Identifier: ISC */
/*
 * sv(8) for a tree: what is asked of the supervisor for each service, and the
 * wait. "fail" and "warning" count; their number, at most
 * 99, is the exit status.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "svctl_sv.h"

#define WAIT_S		7
#define ASK_MS		10000
#define LOOK_MS		200	/* ./check may say yes without an event */
#define TARGETS_MAX	256
#define USAGE		100
#define USAGE_LSB	2
#define DOWN_LSB	3
#define RC_MAX		99

static struct {
	struct ctl c;
	const char *svdir;	/* SVDIR, NULL: those of the tree */
	const char *lsb;	/* called by the name of this service */
	const struct sv_word *word;
	bool	 verbose;
	long	 wait_s;
	struct list all;
	struct sv_target target[TARGETS_MAX];
	int	 n, failures;
} sv;

static void
fail(const char *kind, const struct sv_target *t, const char *what,
    const char *why)
{
	sv.failures++;
	(void)printf("%s: %s: %s%s%s\n", kind, t->arg, what,
	    why != NULL ? ": " : "", why != NULL ? why : "");
}

/* No supervisor has it. */
static void
not_running(const struct sv_target *t)
{
	if (sv.word->acts[0] == 'x')
		(void)printf("ok: %s: runsv not running\n", t->arg);
	else
		fail("fail", t, "runsv not running", NULL);
}

/* runit's own words for the two errors that scripts look for. */
static const char *
words_of(int error)
{
	return error == ENOENT ? "file does not exist" :
	    error == EACCES ? "access denied" : strerror(error);
}

/* False, and told, when there is no such service. */
static bool
find_target(struct sv_target *t)
{
	int missing = sv_find(t, &sv.all, sv.svdir);

	if (missing > 0)
		fail("fail", t, "unable to change to service directory",
		    words_of(missing));
	else if (missing < 0)
		not_running(t);
	return missing == 0;
}

/* --- asking */

static void
ask(struct sv_target *t, const char *method, const char *signal)
{
	char mem[256], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	sv_put_params(&b, t, method, signal);
	if (client_call(&sv.c.client, method, buf_cstr(&b), &r, ASK_MS,
	    err) == 0)
		return;
	if (strcmp(r.error, "org.svtree.NotPermitted") == 0)
		fail("warning", t, "unable to open supervise/control",
		    words_of(EACCES));
	else
		fail("warning", t, "unable to write to supervise/control",
		    err);
	t->done = true;
}

/* runsv takes signals for what does not run in silence. */
static void
act(struct sv_target *t, char letter)
{
	const struct sv_deed *deed = sv_deed_find(letter);

	if (deed != NULL && (deed->signal == NULL || t->before.pid > 0))
		ask(t, deed->method, deed->signal);
}

/* "tcu" and "tc" are a restart, which svtree knows as a whole. */
static void
act_all(struct sv_target *t)
{
	const char *acts = sv.word->acts;

	if (strcmp(acts, "tcu") == 0)
		ask(t, t->before.pid > 0 ? "Restart" : "Start", NULL);
	else if (strcmp(acts, "tc") == 0 && ctl_is(t->before.want, "up"))
		ask(t, t->before.pid > 0 ? "Restart" : "Start", NULL);
	else
		act(t, acts[0]);
}

static void
tell(const struct sv_target *t, const char *before)
{
	char name[72];
	const struct sv *log;

	(void)fputs(before, stdout);
	sv_put_status(&t->now, t->arg, sv_is_normally_up(&sv.all, &t->now));
	(void)snprintf(name, sizeof name, "%s/log", t->name);
	if (before[0] == '\0' && (log = ctl_find(&sv.all, name)) != NULL) {
		(void)fputs("; ", stdout);
		sv_put_status(log, "log", sv_is_normally_up(&sv.all, log));
	}
	(void)fputc('\n', stdout);
}

/* --- the wait */

/* All acts have had theirs, and ./check agrees where it counts. */
static bool
has_effect(const struct sv_target *t)
{
	enum sv_effect least = SV_YES, one;
	const char *p;

	for (p = sv.word->acts; *p != '\0'; p++) {
		one = sv_effect(t, *p);
		least = one < least ? one : least;
	}
	return least == SV_YES || (least == SV_IF_CHECK &&
	    sv_passes_check(&sv.all, t, sv.wait_s));
}

/* Those that are still waited for. */
static int
look(void)
{
	const struct sv *now;
	struct sv_target *t;
	int i, open = 0;

	for (i = 0; i < sv.n; i++) {
		t = &sv.target[i];
		if (t->done)
			continue;
		if ((now = ctl_find(&sv.all, t->name)) != NULL)
			t->now = *now;
		t->done = has_effect(t);
		if (t->done)
			tell(t, "ok: ");
		open += !t->done;
	}
	return open;
}

static void
give_up(void)
{
	struct sv_target *t;
	int i;

	for (i = 0; i < sv.n; i++) {
		t = &sv.target[i];
		if (t->done)
			continue;
		sv.failures++;
		tell(t, sv.word->kills ? "kill: " : "timeout: ");
		t->before = t->now;
		if (sv.word->kills)
			act(t, 'k');
	}
}

static void
wait_for_all(void)
{
	int64_t deadline = ctl_now_ms() + sv.wait_s * 1000, at;

	while (ctl_list(&sv.c, NULL, 0, &sv.all, false) == CTL_OK) {
		if (look() == 0)
			return;
		if (ctl_now_ms() >= deadline)
			break;
		at = ctl_now_ms() + LOOK_MS;
		if (ctl_next_event(&sv.c, at < deadline ? at : deadline) < 0)
			break;
	}
	give_up();
}

/* --- the command line */

static int
usage(void)
{
	if (sv.lsb != NULL) {
		(void)fprintf(stderr, "usage: %s [-w sec] command\n", sv.lsb);
		return USAGE_LSB;
	}
	(void)fputs("usage: sv [-v] [-w sec] command service ...\n"
	    "svctl --help lists svtree's own words, svctl(1) those of sv.\n",
	    stderr);
	return USAGE;
}

/* SVDIR may be the run directory of a tree, or its services. */
static void
take_svdir(void)
{
	char path[PATH_MAX];

	if ((sv.svdir = getenv("SVDIR")) == NULL)
		return;
	(void)snprintf(path, sizeof path, "%s/control", sv.svdir);
	if (access(path, F_OK) < 0)
		return;
	sv.c.run = sv.svdir;
	sv.svdir = NULL;
}

static bool
take_seconds(const char *text)
{
	const char *wrong;

	sv.wait_s = (long)strtonum(text, 0, 86400, &wrong);
	return wrong == NULL;
}

/* -1: go on, else the exit status. */
static int
take_options(int argc, char **argv)
{
	int option;

	optind = 1;
	while ((option = getopt(argc, argv, "+w:vV")) != -1)
		switch (option) {
		case 'w':
			if (!take_seconds(optarg))
				return usage();
			sv.verbose = true;
			break;
		case 'v':
			sv.verbose = true;
			break;
		case 'V':
			(void)puts("sv of svtree " PACKAGE_VERSION);
			return 0;
		default:
			return usage();
		}
	if (optind == argc || argc - optind - 1 > TARGETS_MAX ||
	    (sv.word = sv_word_find(argv[optind])) == NULL)
		return usage();
	for (; optind + 1 + sv.n < argc; sv.n++)
		sv.target[sv.n].arg = argv[optind + 1 + sv.n];
	if (sv.lsb != NULL) {	/* what init scripts are asked */
		if (sv.word->letter == 's' &&
		    strcmp(argv[optind], "status") != 0)
			return usage();
		sv.target[0].arg = sv.lsb;
		sv.n = 1;
	}
	return sv.n > 0 ? -1 : usage();
}

static void
do_all(void)
{
	struct sv_target *t;
	int i;

	for (i = 0; i < sv.n; i++) {
		t = &sv.target[i];
		t->done = !find_target(t);
		if (t->done)
			continue;
		if (sv.word->acts[0] == 's')
			tell(t, "");
		else
			act_all(t);
	}
	if (sv.word->waits || (sv.verbose && sv.word->acts[0] != 's'))
		wait_for_all();
}

int
svctl_sv(int argc, char **argv)
{
	const char *text = getenv("SVWAIT");
	int first = sv_called(argc, argv, &sv.c.run), i, rc;

	sv.lsb = sv_lsb_name(argv[0]);
	sv.c.client.fd = sv.c.events.fd = -1;
	sv.wait_s = WAIT_S;
	if (text != NULL && !take_seconds(text))
		sv.wait_s = WAIT_S;
	if (sv.c.run == NULL)
		take_svdir();
	if ((rc = take_options(argc - first + 1, argv + first - 1)) >= 0)
		return rc;
	if (ctl_subscribe(&sv.c) == CTL_OK &&
	    ctl_list(&sv.c, NULL, 0, &sv.all, false) == CTL_OK)
		do_all();
	else
		for (i = 0; i < sv.n; i++)
			not_running(&sv.target[i]);
	ctl_list_free(&sv.all);
	client_close(&sv.c.client);
	client_close(&sv.c.events);
	if (sv.lsb != NULL && sv.failures == 0 && sv.word->acts[0] == 's' &&
	    sv.target[0].now.pid <= 0)
		return DOWN_LSB;
	return sv.failures > RC_MAX ? RC_MAX : sv.failures;
}
