/* SPDX-License-Identifier: ISC */
/*
 * Services as a table: a plain one for pipes, one line a service; on a
 * terminal one that fits its width, where a reason that has no room in the
 * line stands below it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "svctl.h"

#define NAME_MIN	7	/* SERVICE */
#define WITH_PID	100	/* columns of a terminal that has room for it */
#define BELOW		4	/* indent of a reason below its line */
#define DEPTH_MAX	12

struct row {
	const struct sv *sv;
	int	 depth;
};

struct sheet {
	struct term t;
	const struct list *l;
	struct row *row;
	int	 n, name_width, host_width;	/* 0: no column of hosts */
	bool	 pid;
};

static int
lead(const struct row *r)
{
	return 3 * r->depth;
}

/* How much of its name leads to its tree: 4 of "sub/x". */
static size_t
tree_part(const struct sv *sv)
{
	const char *slash = strrchr(sv->name, '/');

	return slash != NULL ? (size_t)(slash - sv->name) + 1 : 0;
}

/* Without a need, in a tree of its own, one hangs below that tree. */
static bool
is_root(const struct sv *sv)
{
	return sv->needs[0] == '\0' && tree_part(sv) == 0;
}

/* The service below which a tree shows this one. */
static bool
hangs_below(const struct sv *sv, const struct sv *need)
{
	size_t outer = tree_part(sv), n = strlen(need->name);

	if (strcmp(sv->host, need->host) != 0)
		return false;
	if (sv->needs[0] == '\0')
		return outer == n + 1 &&
		    strncmp(sv->name, need->name, n) == 0;
	if (tree_part(need) != outer ||
	    strncmp(sv->name, need->name, outer) != 0)
		return false;
	n -= outer;
	return strncmp(sv->needs, need->name + outer, n) == 0 &&
	    (sv->needs[n] == '\0' || sv->needs[n] == ' ' ||
	    sv->needs[n] == ':');
}

static void
add_below(struct sheet *s, bool *done, int i, int depth)
{
	int k;

	done[i] = true;
	s->row[s->n++] = (struct row){ &s->l->sv[i], depth };
	for (k = 0; k < s->l->n && depth < DEPTH_MAX; k++)
		if (!done[k] && hangs_below(&s->l->sv[k], &s->l->sv[i]))
			add_below(s, done, k, depth + 1);
}

static int
fill(struct sheet *s, const struct list *l, bool tree)
{
	bool *done = calloc((size_t)l->n + 1, sizeof *done);
	int i, pass, width;

	s->l = l;
	s->row = calloc((size_t)l->n + 1, sizeof *s->row);
	if (s->row == NULL || done == NULL) {
		free(done);
		return -1;
	}
	/* Roots with what hangs below; then what needs somebody unseen. */
	for (pass = 0; pass < 2; pass++)
		for (i = 0; i < l->n; i++)
			if (!done[i] && (!tree || pass > 0 ||
			    is_root(&l->sv[i])))
				add_below(s, done, i, tree ? 0 : DEPTH_MAX);
	free(done);
	s->name_width = NAME_MIN;
	for (i = 0; i < s->n; i++) {
		if (!tree)
			s->row[i].depth = 0;
		width = lead(&s->row[i]) +
		    ctl_columns(&s->t, s->row[i].sv->name);
		if (width > s->name_width)
			s->name_width = width;
		width = ctl_columns(&s->t, s->row[i].sv->host);
		if (width > s->host_width)
			s->host_width = width;
	}
	return 0;
}

static void
put_cell(const struct sheet *s, const char *text, int width, bool right)
{
	int n = ctl_columns(&s->t, text);

	(void)fputs("  ", stdout);
	if (right)
		ctl_pad(stdout, width - n);
	(void)ctl_put(stdout, &s->t, text, 0);
	if (!right)
		ctl_pad(stdout, width - n);
}

/* "2.1 s" as "2.1s": one word for awk. */
static void
put_age(char *dst, size_t cap, const char *since)
{
	char *blank;

	ctl_ago(dst, cap, since);
	if ((blank = strchr(dst, ' ')) != NULL)
		memmove(blank, blank + 1, strlen(blank));
}

/* Comes another one of this depth below the same one? */
static bool
has_next(const struct sheet *s, const struct row *r, int depth)
{
	while (++r < s->row + s->n)
		if (r->depth <= depth)
			return r->depth == depth;
	return false;
}

static void
put_branches(const struct sheet *s, const struct row *r)
{
	static const char *const words[2][3] = {
		{ "|  ", "|- ", "`- " }, { "│  ", "├─ ", "└─ " },
	};
	const char *const *word = words[s->t.utf8];
	int depth;

	for (depth = 1; depth < r->depth; depth++)
		(void)fputs(has_next(s, r, depth) ? word[0] : "   ", stdout);
	(void)fputs(word[has_next(s, r, depth) ? 1 : 2], stdout);
}

static void
put_name(const struct sheet *s, const struct row *r, enum hue hue,
    const char *glyph)
{
	int n = lead(r);

	if (s->host_width > 0)
		(void)printf("%-*s  ", s->host_width, r->sv->host);
	if (s->t.terminal)
		(void)printf("%s%s%s ", ctl_hue(&s->t, hue), glyph,
		    ctl_hue(&s->t, HUE_NONE));
	if (n > 0)
		put_branches(s, r);
	n += ctl_put(stdout, &s->t, r->sv->name, 0);
	ctl_pad(stdout, s->name_width - n);
}

/* Columns used before the reason. */
static int
used(const struct sheet *s)
{
	return (s->host_width > 0 ? s->host_width + 2 : 0) +
	    (s->t.terminal ? 2 : 0) + s->name_width + 2 + 9 + 2 + 8 + 2 +
	    6 + 2 + 8 + (s->pid ? 2 + 7 : 0) + 2;
}

static void
put_story(const struct sheet *s, const struct sv *sv)
{
	int room = s->t.width - used(s);
	char story[768];

	ctl_story(story, sizeof story, sv);
	if (story[0] == '\0') {
		(void)fputc('\n', stdout);
		return;
	}
	if (s->t.width == 0 || ctl_columns(&s->t, story) <= room) {
		(void)fputs("  ", stdout);
		(void)ctl_put(stdout, &s->t, story, 0);
	} else {
		(void)fputc('\n', stdout);
		ctl_pad(stdout, BELOW);
		(void)fputs(ctl_hue(&s->t, HUE_DIM), stdout);
		(void)ctl_put(stdout, &s->t, story, s->t.width - BELOW);
		(void)fputs(ctl_hue(&s->t, HUE_NONE), stdout);
	}
	(void)fputc('\n', stdout);
}

static void
put_row(const struct sheet *s, const struct row *r)
{
	const struct sv *sv = r->sv;
	const char *glyph;
	enum hue hue = ctl_look(&s->t, sv, &glyph);
	char age[32], number[24];

	put_name(s, r, hue, glyph);
	(void)fputs(ctl_hue(&s->t, hue), stdout);
	put_cell(s, sv->state, 9, false);
	put_cell(s, ctl_is(sv->health, "unknown") ? "-" : sv->health, 8,
	    false);
	(void)fputs(ctl_hue(&s->t, HUE_NONE), stdout);
	put_age(age, sizeof age, sv->since);
	put_cell(s, age, 6, true);
	(void)snprintf(number, sizeof number, "%lld",
	    (long long)sv->restarts);
	put_cell(s, number, 8, true);
	(void)snprintf(number, sizeof number, sv->pid > 0 ? "%lld" : "-",
	    (long long)sv->pid);
	if (s->pid)
		put_cell(s, number, 7, true);
	put_story(s, sv);
}

static void
put_head(const struct sheet *s)
{
	const struct sup *sup = &s->l->sup;
	char age[32];

	if (s->t.terminal && sup->pid > 0) {
		ctl_ago(age, sizeof age, sup->since);
		(void)printf("%ssvtree %s, pid %lld, for %s; services in "
		    "%s%s\n", ctl_hue(&s->t, HUE_DIM), sup->version,
		    (long long)sup->pid, age, sup->services,
		    ctl_hue(&s->t, HUE_NONE));
	}
	(void)fputs(ctl_hue(&s->t, HUE_BOLD), stdout);
	if (s->host_width > 0)
		(void)printf("%-*s  ", s->host_width, "HOST");
	(void)printf("%s%-*s  %-9s  %-8s  %6s  %8s%s  %s\n",
	    s->t.terminal ? "  " : "", s->name_width, "SERVICE", "STATE",
	    "HEALTH", "FOR", "RESTARTS", s->pid ? "      PID" : "", "WHY");
	(void)fputs(ctl_hue(&s->t, HUE_NONE), stdout);
}

/* Of those wanted up: how many are, and which of the others to look at. */
static void
put_summary(const struct sheet *s)
{
	int i, up = 0, wanted = 0;
	const struct sv *bad = NULL;

	for (i = 0; i < s->n; i++) {
		const struct sv *sv = s->row[i].sv;

		up += ctl_is_up(sv);
		wanted += ctl_is(sv->want, "up");
		if (bad == NULL && ctl_is(sv->want, "up") && (!ctl_is_up(sv) ||
		    ctl_is(sv->health, "failing")))
			bad = sv;
	}
	(void)printf("%s%d service%s, %d wanted up, %d up",
	    ctl_hue(&s->t, HUE_DIM), s->n, s->n == 1 ? "" : "s", wanted, up);
	if (bad != NULL)
		(void)printf("; look at: svctl %s%s%sstatus %s",
		    bad->host[0] != '\0' ? "-H " : "", bad->host,
		    bad->host[0] != '\0' ? " " : "", bad->name);
	(void)printf("%s\n", ctl_hue(&s->t, HUE_NONE));
}

void
ctl_print_table(const struct list *l, bool tree)
{
	struct sheet s = { .t = ctl_term(stdout), .n = 0 };
	int i;

	s.pid = !s.t.terminal || s.t.width >= WITH_PID;
	if (fill(&s, l, tree) == 0) {
		put_head(&s);
		for (i = 0; i < s.n; i++)
			put_row(&s, &s.row[i]);
		if (s.t.terminal)
			put_summary(&s);
	}
	free(s.row);
}
