/* SPDX-License-Identifier: ISC */
/*
 * Services in words for people: a table, a page, durations, the end of a log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "svctl.h"

static const struct {
	const char *state, *glyph, *colour;
} looks[] = {
	{ "UP", "●", "32" }, { "DOWN", "○", "2" },
	{ "WAITING", "◌", "36" }, { "STARTING", "◐", "36" },
	{ "STOPPING", "◑", "33" }, { "FINISHING", "◑", "33" },
	{ "BACKOFF", "↻", "33" }, { "TRIPPED", "✗", "31" },
	{ "UNKNOWN", "?", "31" },
};

static bool
is_plain(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return !isatty(STDOUT_FILENO) || (no != NULL && no[0] != '\0') ||
	    term == NULL || strcmp(term, "dumb") == 0;
}

static double
seconds_since(const char *rfc3339)
{
	struct tm tm = { 0 };
	struct timespec now;
	double fraction = 0;
	int n = 0;

	if (sscanf(rfc3339, "%d-%d-%dT%d:%d:%d%n", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return -1;
	(void)sscanf(rfc3339 + n, "%lf", &fraction);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec - timegm(&tm)) +
	    (double)now.tv_nsec / 1e9 - fraction;
}

static void
put_duration(char *dst, size_t cap, double s)
{
	static const struct {
		double limit, unit;
		const char *name;
	} units[] = {
		{ 10, 0, "s" }, { 120, 1, "s" }, { 7200, 60, "min" },
		{ 172800, 3600, "h" }, { 1e18, 86400, "d" },
	};
	size_t i = 0;

	while (i + 1 < nitems(units) && s >= units[i].limit)
		i++;
	if (i == 0)
		(void)snprintf(dst, cap, "%.1f s", s < 0 ? 0 : s);
	else
		(void)snprintf(dst, cap, "%.0f %s", s / units[i].unit,
		    units[i].name);
}

void
ctl_ago(char *dst, size_t cap, const char *rfc3339)
{
	double s;

	(void)snprintf(dst, cap, "-");
	if (rfc3339[0] == '\0')
		return;
	s = seconds_since(rfc3339);
	put_duration(dst, cap, s < 0 ? -s : s);
}

/* Why, or what it says of itself: the one line that matters most. */
static void
put_story(char *dst, size_t cap, const struct sv *sv)
{
	const char *first = sv->reason, *second = "";
	char next[32] = "";

	if (ctl_is_up(sv)) {
		first = sv->text;
		if (strcmp(sv->health, "ok") != 0 &&
		    sv->health_text[0] != '\0') {
			first = sv->health_text;
			second = sv->text;
		}
	}
	if (sv->next_at[0] != '\0' && (strcmp(sv->state, "BACKOFF") == 0 ||
	    strcmp(sv->state, "TRIPPED") == 0))
		ctl_ago(next, sizeof next, sv->next_at);
	(void)snprintf(dst, cap, "%s%s%s%s%s%s", sv->enabled ? "" :
	    strcmp(first, "disabled") == 0 ? "" : "disabled; ", first,
	    first[0] != '\0' && second[0] != '\0' ? "; " : "", second,
	    next[0] != '\0' ? "; next try in " : "", next);
}

static void
put_row(const struct sv *sv, int width, bool plain)
{
	char since[32], pid[24] = "-", story[768];
	const char *glyph = "", *colour = "0";
	size_t i;

	ctl_ago(since, sizeof since, sv->since);
	if (sv->pid > 0)
		(void)snprintf(pid, sizeof pid, "%lld", (long long)sv->pid);
	put_story(story, sizeof story, sv);
	for (i = 0; i < nitems(looks); i++)
		if (strcmp(looks[i].state, sv->state) == 0) {
			glyph = looks[i].glyph;
			colour = looks[i].colour;
		}
	if (plain)
		(void)printf("%-*s  %-9s  %-8s  %7s  %8lld  %-8s  %s\n",
		    width, sv->name, sv->state, since, pid,
		    (long long)sv->restarts, sv->health, story);
	else
		(void)printf("\033[%sm%s\033[0m %-*s  \033[%sm%-9s\033[0m  "
		    "%-8s  %7s  %8lld  %-8s  %s\n", colour, glyph, width,
		    sv->name, colour, sv->state, since, pid,
		    (long long)sv->restarts, sv->health, story);
}

void
ctl_print_table(const struct sv *sv, int n)
{
	bool plain = is_plain();
	int i, width = 7;

	for (i = 0; i < n; i++)
		if ((int)strlen(sv[i].name) > width)
			width = (int)strlen(sv[i].name);
	(void)printf("%s%-*s  %-9s  %-8s  %7s  %8s  %-8s  %s\n",
	    plain ? "" : "  ", width, "SERVICE", "STATE", "SINCE", "PID",
	    "RESTARTS", "HEALTH", "WHY");
	for (i = 0; i < n; i++)
		put_row(&sv[i], width, plain);
}

static void
put_exit(const struct sv *sv)
{
	char ago[32];

	if (sv->exit_kind[0] == '\0')
		return;
	ctl_ago(ago, sizeof ago, sv->exit_at);
	if (strcmp(sv->exit_kind, "exit") == 0)
		(void)printf("  last exit  code %lld, %s ago%s\n",
		    (long long)sv->exit_code, ago, sv->oom ?
		    ", out of memory" : "");
	else
		(void)printf("  last exit  %s, %s ago%s\n",
		    sv->exit_signal[0] != '\0' ? sv->exit_signal :
		    "status unknown", ago, sv->oom ? ", out of memory" : "");
}

/* What to type next, by state. */
static const struct {
	const char *state, *words;
} advice[] = {
	{ "TRIPPED", "mend the cause, then: svctl start" },
	{ "BACKOFF", "see why: svctl logs" },
	{ "UNKNOWN", "see what happened: svctl history" },
};

static void
put_advice(const struct sv *sv)
{
	size_t i;

	for (i = 0; i < nitems(advice); i++)
		if (strcmp(advice[i].state, sv->state) == 0)
			(void)printf("  do         %s %s\n", advice[i].words,
			    sv->name);
	if (!sv->enabled)
		(void)printf("  do         to have it back: svctl enable %s\n",
		    sv->name);
}

static void
put_line(const char *label, const char *text)
{
	if (text[0] != '\0')
		(void)printf("  %-9s  %s\n", label, text);
}

void
ctl_print_full(const struct sv *sv)
{
	char since[32], pid[64] = "", next[32];

	ctl_ago(since, sizeof since, sv->since);
	(void)printf("%s%s%s\n", sv->name, sv->description[0] != '\0' ?
	    " - " : "", sv->description);
	(void)printf("  is         %s for %s%s\n", sv->state, since,
	    sv->adopted ? " (adopted)" : "");
	(void)printf("  wanted     %s%s\n", sv->want, sv->enabled ? "" :
	    " (disabled)");
	put_line("why", sv->reason);
	if (sv->next_at[0] != '\0') {
		ctl_ago(next, sizeof next, sv->next_at);
		(void)printf("  next       in %s\n", next);
	}
	if (sv->pid > 0)
		(void)snprintf(pid, sizeof pid, "%lld", (long long)sv->pid);
	put_line("pid", pid);
	put_line("user", sv->user);
	(void)printf("  health     %s%s%s\n", sv->health,
	    sv->health_text[0] != '\0' ? ": " : "", sv->health_text);
	put_line("says", sv->text);
	put_line("needs", sv->needs);
	(void)printf("  restarts   %lld\n", (long long)sv->restarts);
	put_exit(sv);
	put_advice(sv);
}
