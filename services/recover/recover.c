/* SPDX-License-Identifier: ISC */
/*
 * recover: looks at every service that is wanted up, heals what is down or
 * does not answer, each beside the others, and ends with a verdict. Here are
 * the command line, the loop and the verdict; a branch is recover_branch.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "client.h"
#include "conf.h"
#include "confine.h"
#include "die.h"
#include "http.h"
#include "log.h"
#include "os.h"
#include "recover_branch.h"
#include "recover_tree.h"
#include "report.h"
#include "usage.h"

#define LIMIT_MS	20000
#define SLICE_MS	1000	/* longest wait without a look around */

static const char usage_text[] =
"usage: recover [-hV] [-t time]\n"
"  -t, --timeout TIME    deadline of each service's recovery (20s)\n"
"  -h, --help            this text\n"
"  -V, --version         the version\n"
"Exit: 0 all that is wanted is healthy, 1 it is not, 100 used wrongly,\n"
"111 no supervisor.\n";

static const struct option options[] = {
	{ "timeout",	required_argument,	NULL,	't' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "recover", usage_text, "ht:V", options };

static struct conf_tree conf;

static void
parse(struct run *run, int argc, char **argv)
{
	int c;

	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 't':
			run->limit_ms = conf_duration(optarg);
			if (run->limit_ms <= 0)
				diex(EXIT_USAGE, "timeout %s: wanted is a "
				    "time such as 20s", optarg);
			break;
		}
	usage_no_operand(argc, argv);
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	log_warnx("%s", line);
}

/* Without it services are judged by what the supervisor says of them. */
static void
read_conf(void)
{
	const char *dir = getenv("SVTREE_SERVICES");

	if (dir == NULL || *dir == '\0' ||
	    conf_load(&conf, dir, print_error, NULL) < 0)
		log_warnx("the services' files are not read: nothing is "
		    "probed afresh");
}

static struct branch *
find(const struct run *run, const char *name)
{
	int i;

	for (i = 0; i < run->n; i++)
		if (strcmp(run->branch[i].f.name, name) == 0)
			return &run->branch[i];
	return NULL;
}

/* The first status makes the branches; what comes later changes them. */
static void
add(void *arg, const struct facts *f, bool whole)
{
	struct run *run = arg;
	struct branch *grown;

	(void)whole;
	grown = realloc(run->branch, (size_t)(run->n + 1) * sizeof *grown);
	if (grown == NULL)
		die(EXIT_SYSTEM, "remember %s", f->name);
	run->branch = grown;
	grown += run->n++;
	*grown = (struct branch){ .f = *f,
	    .conf = conf.n > 0 ? conf_find(&conf, f->name) : NULL };
}

static void
update(void *arg, const struct facts *f, bool whole)
{
	struct branch *b = find(arg, f->name);

	if (b != NULL)
		branch_update(b, f, whole);
}

/* Is there one whose reason for waiting no event tells? */
static bool
must_look(const struct run *run)
{
	int i;

	for (i = 0; i < run->n; i++)
		if (run->branch[i].phase == PH_SETTLE &&
		    branch_is(&run->branch[i], "WAITING"))
			return true;
	return false;
}

/* Steps every branch. Returns when the next one is due, INT64_MAX: none. */
static int64_t
step_all(struct run *run)
{
	int64_t next = INT64_MAX, t;
	int i;

	for (i = 0; i < run->n; i++) {
		if (run->branch[i].phase == PH_DONE)
			continue;
		t = branch_step(run, &run->branch[i], os_now_ms());
		if (t < next)
			next = t;
	}
	return next;
}

static void
recover(struct run *run)
{
	int64_t next, now;
	int i, fd;

	for (i = 0; i < run->n; i++)
		branch_begin(run, &run->branch[i], os_now_ms());
	while ((next = step_all(run)) != INT64_MAX) {
		now = os_now_ms();
		if (must_look(run) && next > now + SLICE_MS / 4)
			next = now + SLICE_MS / 4;
		if (next > now + SLICE_MS)
			next = now + SLICE_MS;
		fd = tree_fd();
		(void)http_run(next > now ? (int)(next - now) : 0, &fd,
		    fd >= 0 ? 1 : 0);
		tree_take(update, run, must_look(run), os_now_ms());
	}
}

static int
count(const struct run *run, enum outcome outcome)
{
	int i, n = 0;

	for (i = 0; i < run->n; i++)
		n += run->branch[i].outcome == outcome;
	return n;
}

static void
put_names(struct buf *b, const struct run *run, enum outcome outcome,
    bool why)
{
	const char *comma = "";
	int i;

	for (i = 0; i < run->n; i++) {
		if (run->branch[i].outcome != outcome)
			continue;
		buf_printf(b, "%s%s", comma, run->branch[i].f.name);
		if (why)
			buf_printf(b, " (%s)", run->branch[i].why);
		comma = ", ";
	}
}

/* Prints the verdict and leaves it as the status text of this service. */
static void
conclude(const struct run *run, int64_t began_ms)
{
	const char *self = getenv("SVTREE_SERVICE");
	int failed = count(run, OUT_FAILED), healed = count(run, OUT_HEALED);
	int wanted = failed + healed + count(run, OUT_HEALTHY);
	char mem[1024], err[CLIENT_ERR_LEN];
	struct report r = { .text = mem };
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	buf_printf(&b, "%s: %d of %d wanted are healthy", failed == 0 ?
	    "healthy" : "NOT healthy", wanted - failed, wanted);
	if (failed > 0) {
		buf_puts(&b, "; not: ");
		put_names(&b, run, OUT_FAILED, true);
	}
	if (healed > 0) {
		buf_puts(&b, "; healed: ");
		put_names(&b, run, OUT_HEALED, false);
	}
	(void)buf_cstr(&b);
	(void)printf("verdict: %s (%.1f s)\n", mem,
	    (double)(os_now_ms() - began_ms) / 1000);
	if (!report_wanted() || self == NULL)
		return;
	if (failed + healed > 0)
		r.incident = mem;
	if (report_send(self, &r, err) != 0)
		log_warnx("report the verdict: %s", err);
}

int
main(int argc, char **argv)
{
	struct run run = { .limit_ms = LIMIT_MS };
	int64_t began_ms = os_now_ms();
	char err[CLIENT_ERR_LEN];
	int code;

	log_open("recover");
	parse(&run, argc, argv);
	/* Whoever follows sees each step when it is done. */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	confine_core();
	if (getenv("SVTREE_SERVICE") != NULL)	/* not a person's own */
		confine_self(&(struct confine){ .looks = true,
		    .quiet = true });
	if (http_open() < 0)
		diex(EXIT_SYSTEM, "start the HTTP library");
	read_conf();
	if (tree_open(add, &run, err) < 0)
		diex(EXIT_SYSTEM, "%s", err);
	recover(&run);
	conclude(&run, began_ms);
	tree_close();
	http_close();
	code = count(&run, OUT_FAILED) == 0 ? 0 : EXIT_NO;
	free(run.branch);
	return code;
}
