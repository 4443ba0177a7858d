/* SPDX-License-Identifier: ISC */
/*
 * svctl logs: the lines of one log, or of several in the order of their
 * stamps, and with -f those to come.
 */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "svctl.h"
#include "svctl_logs.h"

#define DEFAULT_LINES	20
#define LOGS_MAX	256	/* descriptors */

void
ctl_print_tail(struct ctl *c, const char *name, int lines)
{
	struct lines l;
	char dir[1024];

	if (ctl_log_dir(c, name, dir, sizeof dir) < 0 ||
	    lines_open(&l, dir, lines, NULL) < 0)
		return;
	while (lines_next(&l))
		(void)fprintf(stderr, "  | %s%s", l.line,
		    l.line[l.len - 1] == '\n' ? "" : "\n");
	lines_close(&l);
}

void
logs_put(const struct logs *s, const struct log *g, const char *line,
    size_t len)
{
	static const enum hue hues[] = { HUE_BUSY, HUE_GOOD, HUE_WARN,
	    HUE_BOLD, HUE_BAD, HUE_DIM };
	char mem[16384];
	struct buf b;

	while (len > 0 && line[len - 1] == '\n')
		len--;
	if (s->json) {
		buf_init(&b, mem, sizeof mem);
		json_open(&b, '{');
		json_set_str(&b, "service", g->name);
		json_key(&b, "line");
		json_put_strn(&b, line, len < 8192 ? len : 8192);
		json_close(&b, '}');
		(void)printf("%.*s\n", (int)b.len, mem);
		return;
	}
	if (s->n > 1)
		(void)printf("%s%-*s |%s ", ctl_hue(&s->t,
		    hues[(size_t)(g - s->log) % nitems(hues)]), s->width,
		    g->name, ctl_hue(&s->t, HUE_NONE));
	(void)fwrite(line, 1, len, stdout);
	(void)fputc('\n', stdout);
}

/* The log whose present line is the oldest, NULL when all are at the end. */
static struct log *
oldest(struct logs *s)
{
	struct log *first = NULL;
	int i;

	for (i = 0; i < s->n; i++)
		if (s->log[i].more && (first == NULL ||
		    strcmp(s->log[i].lines.stamp, first->lines.stamp) < 0))
			first = &s->log[i];
	return first;
}

static void
print_merged(struct logs *s)
{
	struct log *g;
	int i;

	for (i = 0; i < s->n; i++)
		s->log[i].more = lines_next(&s->log[i].lines);
	while ((g = oldest(s)) != NULL) {
		if (s->follow)
			logs_take(s, g, g->lines.line, (size_t)g->lines.len);
		else
			logs_put(s, g, g->lines.line, (size_t)g->lines.len);
		g->more = lines_next(&g->lines);
	}
}

static int
make_match(const struct ctl *c, struct lines_match *m)
{
	time_t seconds = (time_t)(c->since_us / 1000000);
	char date[24], why[128];
	struct tm tm;
	int bad;

	memset(m, 0, sizeof *m);
	if (c->since_us > 0 && gmtime_r(&seconds, &tm) != NULL) {
		(void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
		(void)snprintf(m->since, sizeof m->since, "%s.%06dZ", date,
		    (int)(c->since_us % 1000000));
	}
	if (c->opt[OPT_GREP] == NULL)
		return CTL_OK;
	bad = regcomp(&m->regex, c->opt[OPT_GREP], REG_EXTENDED | REG_NOSUB);
	m->has_regex = bad == 0;
	if (bad == 0)
		return CTL_OK;
	(void)regerror(bad, &m->regex, why, sizeof why);
	(void)fprintf(stderr, "svctl: --grep %s: %s; grep -E's syntax is "
	    "right\n", c->opt[OPT_GREP], why);
	return CTL_USAGE;
}

static void
add(struct logs *s, const char *name)
{
	int i;

	for (i = 0; i < s->n; i++)
		if (ctl_is(s->log[i].name, name))
			return;
	if (s->n == LOGS_MAX) {
		s->too_many = true;
		return;
	}
	(void)strlcpy(s->log[s->n++].name, name, sizeof s->log[0].name);
	if ((int)strlen(name) > s->width)
		s->width = (int)strlen(name);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct log *)a)->name,
	    ((const struct log *)b)->name);
}

/* Those whose directory is there: no supervisor is needed for it. All but
 * the supervisor's own when nothing is named. */
static int
add_matching(struct ctl *c, struct logs *s, const char *pattern)
{
	int before = s->n;
	struct dirent *e;
	char run[512], dir[600];
	DIR *d;

	if (client_run_dir(c->run, run, sizeof run) < 0)
		return -1;
	(void)snprintf(dir, sizeof dir, "%s/logdir", run);
	if ((d = opendir(dir)) == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strlen(e->d_name) < 64 &&
		    !ctl_is(e->d_name, "svtree") &&
		    fnmatch(pattern, e->d_name, 0) == 0)
			add(s, e->d_name);
	(void)closedir(d);
	qsort(s->log + before, (size_t)(s->n - before), sizeof *s->log,
	    by_name);
	return s->n > before ? 0 : -1;
}

static int
no_log(struct ctl *c, char *name)
{
	int rc = ctl_fetch(c, &name, 1, NULL, NULL, false);

	if (rc != CTL_OK)
		return rc;
	(void)fprintf(stderr, "svctl: %s has no log yet, or it is not yours "
	    "to read: run svctl as the tree's owner\n", name);
	return CTL_FAILED;
}

static int
open_logs(struct ctl *c, struct logs *s)
{
	long n = c->lines >= 0 || c->since_us > 0 ? c->lines :
	    DEFAULT_LINES;
	char dir[1024];
	int i;

	if (c->n == 0 && add_matching(c, s, "*") < 0 &&
	    (i = ctl_connect(c)) != CTL_OK)
		return i;
	for (i = 0; i < c->n; i++)
		if (strpbrk(c->name[i], "*?[") == NULL)
			add(s, c->name[i]);
		else if (add_matching(c, s, c->name[i]) < 0)
			return no_log(c, c->name[i]);
	if (s->too_many) {
		(void)fprintf(stderr, "svctl: logs: %d are the most at one "
		    "time; name fewer\n", LOGS_MAX);
		return CTL_USAGE;
	}
	for (i = 0; i < s->n; i++)
		if (ctl_log_dir(c, s->log[i].name, dir, sizeof dir) < 0 ||
		    lines_open(&s->log[i].lines, dir, n, &s->match) < 0)
			return no_log(c, s->log[i].name);
	return CTL_OK;
}

int
svctl_logs(struct ctl *c)
{
	struct logs s = { .t = ctl_term(stdout), .json = c->json,
	    .follow = c->follow };
	int i, rc;

	if ((rc = make_match(c, &s.match)) != CTL_OK)
		return rc;
	s.log = calloc(LOGS_MAX, sizeof *s.log);
	rc = s.log == NULL ? CTL_FAILED : open_logs(c, &s);
	if (rc == CTL_OK) {
		print_merged(&s);
		if (c->follow)
			rc = logs_follow(&s);
	}
	for (i = 0; i < s.n; i++)
		lines_close(&s.log[i].lines);
	free(s.log);
	if (s.match.has_regex)
		regfree(&s.match.regex);
	return rc;
}
