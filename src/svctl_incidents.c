/* SPDX-License-Identifier: ISC */
/*
 * svctl incidents: the outages of each service, or of those named one by
 * one, with mean time to repair and availability.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os.h"
#include "svctl_lines.h"
#include "svctl_outage.h"

static const char *const ends[] = {
	[END_OPEN] = "goes on", [END_BACK] = "back", [END_STOPPED] = "stopped",
	[END_FAILED] = "failed", [END_NOTED] = "noted",
};

static void
put_time(char *dst, size_t cap, int64_t us)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	if (us <= 0 || localtime_r(&seconds, &tm) == NULL ||
	    strftime(dst, cap, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)snprintf(dst, cap, "-");
}

static void
put_available(char *dst, size_t cap, const struct outage_service *s)
{
	int64_t part = outages_available(s);

	if (part < 0)
		(void)snprintf(dst, cap, "-");
	else
		(void)snprintf(dst, cap, "%lld.%03lld %%",
		    (long long)(part / 1000), (long long)(part % 1000));
}

static bool
is_asked_for(const struct ctl *c, const char *name)
{
	int i;

	for (i = 0; i < c->n; i++)
		if (ctl_is(c->name[i], name))
			return true;
	return c->n == 0;
}

static void
print_row(const struct outages *o, const struct outage_service *s, int width)
{
	char repair[32] = "-", longest[32] = "-", available[32], last[32];

	if (s->back > 0) {
		ctl_duration(repair, sizeof repair, s->repair_us / s->back /
		    1000);
		ctl_duration(longest, sizeof longest, s->longest_us / 1000);
	}
	put_available(available, sizeof available, s);
	put_time(last, sizeof last, s->n > 0 && s->last >= 0 ?
	    o->outage[s->last].from_us : 0);
	(void)printf("%-*s  %9d  %7s  %7s  %10s  %s\n", width, s->name, s->n,
	    repair, longest, available, last);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct outage_service *)a)->name,
	    ((const struct outage_service *)b)->name);
}

static void
print_table(const struct ctl *c, struct outages *o)
{
	char from[32];
	int i, width = 7;

	for (i = 0; i < o->ns; i++)
		if (is_asked_for(c, o->service[i].name) &&
		    (int)strlen(o->service[i].name) > width)
			width = (int)strlen(o->service[i].name);
	(void)printf("%-*s  %9s  %7s  %7s  %10s  %s\n", width, "SERVICE",
	    "INCIDENTS", "REPAIR", "LONGEST", "AVAILABLE", "LAST");
	for (i = 0; i < o->ns; i++)
		if (is_asked_for(c, o->service[i].name))
			print_row(o, &o->service[i], width);
	put_time(from, sizeof from, o->since_us > o->first_us ? o->since_us :
	    o->first_us);
	(void)printf("\nsince %s; svctl incidents NAME lists them\n", from);
}

static void
print_outage(const struct term *t, const struct outage *g)
{
	char at[32], lasted[32] = "-", why[320];

	put_time(at, sizeof at, g->from_us);
	if (g->end == END_OPEN)
		ctl_duration(lasted, sizeof lasted, (os_wall_us() -
		    g->from_us) / 1000);
	else if (g->end == END_BACK || g->end == END_STOPPED)
		ctl_duration(lasted, sizeof lasted, (g->to_us - g->from_us) /
		    1000);
	(void)printf("%s  %7s  %-7s  ", at, lasted, ends[g->end]);
	(void)snprintf(why, sizeof why, "%s", g->reason);
	if (g->times > 1)
		(void)snprintf(why, sizeof why, "%d times: %s", g->times,
		    g->reason);
	(void)ctl_put(stdout, t, why, t->width > 60 ? t->width - 39 :
	    0);
	(void)fputc('\n', stdout);
}

static void
print_list(struct outages *o, const struct outage_service *s)
{
	struct term t = ctl_term(stdout);
	char repair[32] = "-", available[32], from[32];
	int i;

	(void)printf("%s\n%-19s  %7s  %-7s  %s\n", s->name, "WHEN", "LASTED",
	    "END", "WHY");
	for (i = 0; i < o->n; i++)
		if (ctl_is(o->outage[i].service, s->name) &&
		    o->outage[i].from_us >= o->since_us)
			print_outage(&t, &o->outage[i]);
	if (s->back > 0)
		ctl_duration(repair, sizeof repair, s->repair_us / s->back /
		    1000);
	put_available(available, sizeof available, s);
	put_time(from, sizeof from, o->since_us > o->first_us ? o->since_us :
	    o->first_us);
	(void)printf("%d incident%s since %s; mean time to repair %s; "
	    "available %s\n", s->n, s->n == 1 ? "" : "s", from, repair,
	    available);
}

static void
print_json_outage(const struct outage *g, bool first)
{
	char mem[2048];
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_set_time(&b, "at", g->from_us);
	json_set_time(&b, "ended_at", g->to_us);
	json_key(&b, "duration_ms");
	if (g->to_us > 0)
		json_put_int(&b, (g->to_us - g->from_us) / 1000);
	else
		json_put_null(&b);
	json_set_str(&b, "end", ends[g->end]);
	json_set_int(&b, "times", g->times);
	json_set_str(&b, "reason", g->reason);
	json_close(&b, '}');
	(void)printf("%s%.*s", first ? "" : ",", (int)b.len, mem);
}

/* One object a service and line. */
static void
print_json(struct outages *o, const struct outage_service *s)
{
	char mem[1024];
	struct buf b;
	int i, n = 0;

	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_set_str(&b, "service", s->name);
	json_set_time(&b, "since", o->since_us > o->first_us ? o->since_us :
	    o->first_us);
	json_set_int(&b, "count", s->n);
	json_set_int(&b, "repaired", s->back);
	json_set_int(&b, "mean_repair_ms", s->back > 0 ? s->repair_us /
	    s->back / 1000 : 0);
	json_set_int(&b, "longest_ms", s->longest_us / 1000);
	json_set_int(&b, "wanted_ms", s->wanted_us / 1000);
	json_set_int(&b, "available_ms", s->good_us / 1000);
	json_key(&b, "incidents");
	(void)printf("%.*s[", (int)b.len, mem);
	for (i = 0; i < o->n; i++)
		if (ctl_is(o->outage[i].service, s->name) &&
		    o->outage[i].from_us >= o->since_us)
			print_json_outage(&o->outage[i], n++ == 0);
	(void)puts("]}");
}

static int
read_all(struct ctl *c, struct outages *o)
{
	struct lines l;
	struct event e;
	char dir[1024];
	int rc;

	if (ctl_log_dir(c, "svtree", dir, sizeof dir) < 0 ||
	    lines_open(&l, dir, -1, NULL) < 0) {
		if ((rc = ctl_connect(c)) != CTL_OK)
			return rc;
		(void)fprintf(stderr, "svctl: there is no history yet, or it "
		    "is not yours to read: run svctl as the tree's owner\n");
		return CTL_FAILED;
	}
	rc = CTL_OK;
	while (rc == CTL_OK && lines_next(&l))
		if (event_parse(l.line, (size_t)l.len, &e) == 0 &&
		    outages_take(o, &e) < 0)
			rc = CTL_FAILED;
	lines_close(&l);
	return rc;
}

/* Is the last word that of a supervisor which is still there? */
static bool
is_alive(struct ctl *c)
{
	char err[CLIENT_ERR_LEN];

	return c->client.fd >= 0 || client_open(&c->client, c->run, err) == 0;
}

static int
show(struct ctl *c, struct outages *o)
{
	struct outage_service *s;
	int i, rc = CTL_OK;

	if (o->ns > 1)
		qsort(o->service, (size_t)o->ns, sizeof *o->service, by_name);
	for (i = 0; i < c->n && rc == CTL_OK; i++)
		if (outages_find(o, c->name[i]) == NULL)
			rc = ctl_fetch(c, &c->name[i], 1, NULL, NULL, false);
	if (rc != CTL_OK)
		return rc;
	for (i = 0; i < o->ns && c->json; i++)
		if (is_asked_for(c, o->service[i].name))
			print_json(o, &o->service[i]);
	if (c->json)
		return CTL_OK;
	if (c->n == 0)
		print_table(c, o);
	for (i = 0; i < c->n; i++)
		if ((s = outages_find(o, c->name[i])) != NULL)
			print_list(o, s);
		else
			(void)printf("%s\nno event so far\n", c->name[i]);
	return CTL_OK;
}

int
svctl_incidents(struct ctl *c)
{
	struct outages o = { .since_us = c->since_us };
	int rc = read_all(c, &o);

	if (rc == CTL_OK) {
		outages_end(&o, is_alive(c) ? os_wall_us() : o.last_us);
		rc = show(c, &o);
	}
	outages_free(&o);
	return rc;
}
