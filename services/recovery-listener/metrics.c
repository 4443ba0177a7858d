/* SPDX-License-Identifier: ISC */
/*
 * Families one after the other, each with all its services, as both formats
 * want it. Reads the view; asks nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "footprint.h"
#include "metrics.h"
#include "probes.h"
#include "tally.h"
#include "when.h"

enum kind { GAUGE, COUNTER, STATESET, INFO, HISTOGRAM };

static const char *const states[] = { "DOWN", "WAITING", "STARTING", "UP",
	"STOPPING", "FINISHING", "BACKOFF", "TRIPPED", "UNKNOWN" };
static const char *const healths[] = { "unknown", "ok", "busy", "degraded",
	"failing" };

struct family {
	const char *name;	/* without _total and _info */
	enum kind kind;
	const char *help;
	void	(*put)(struct buf *b, const char *name, const struct seen *sv);
};

struct page {
	struct buf *b;
	const struct family *family;
};

/* Names of services are words; backslash, quote and newline all the same. */
void
metrics_put_label(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			buf_putc(b, '\\');
		if (*s == '\n')
			buf_puts(b, "\\n");
		else
			buf_putc(b, *s);
	}
}

static void
put_service(struct buf *b, const char *name, const char *suffix,
    const struct seen *sv, const char *more, const char *value)
{
	buf_printf(b, "%s%s{service=\"", name, suffix);
	metrics_put_label(b, sv->name);
	if (more != NULL)
		buf_printf(b, "\",%s=\"%s", more, value);
	buf_puts(b, "\"} ");
}

static void
put_state(struct buf *b, const char *name, const struct seen *sv)
{
	size_t i;

	for (i = 0; i < nitems(states); i++) {
		put_service(b, name, "", sv, name, states[i]);
		buf_printf(b, "%d\n", strcmp(states[i], sv->state) == 0);
	}
}

static void
put_health(struct buf *b, const char *name, const struct seen *sv)
{
	size_t i;

	for (i = 0; i < nitems(healths); i++) {
		put_service(b, name, "", sv, name, healths[i]);
		buf_printf(b, "%d\n", strcmp(healths[i], sv->health) == 0);
	}
}

static void
put_wanted(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "", sv, NULL, NULL);
	buf_printf(b, "%d\n", strcmp(sv->want, "up") == 0);
}

static void
put_enabled(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "", sv, NULL, NULL);
	buf_printf(b, "%d\n", sv->enabled);
}

static void
put_healthy(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "", sv, NULL, NULL);
	buf_printf(b, "%d\n", view_is_usable(view_fitness(sv)));
}

static void
put_restarts(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "_total", sv, NULL, NULL);
	buf_printf(b, "%" PRId64 "\n", sv->restarts);
}

static void
put_since(struct buf *b, const char *name, const struct seen *sv)
{
	if (sv->since_us == 0)
		return;
	put_service(b, name, "", sv, NULL, NULL);
	buf_printf(b, "%" PRId64 ".%03d\n", sv->since_us / 1000000,
	    (int)(sv->since_us / 1000 % 1000));
}

static void
put_incidents(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "_total", sv, NULL, NULL);
	buf_printf(b, "%" PRIu64 "\n", tally_of(sv->name).incidents);
}

static void
put_ooms(struct buf *b, const char *name, const struct seen *sv)
{
	put_service(b, name, "_total", sv, NULL, NULL);
	buf_printf(b, "%" PRIu64 "\n", tally_of(sv->name).ooms);
}

static void
put_faults(struct buf *b, const char *name, const struct seen *sv)
{
	struct tally t = tally_of(sv->name);

	put_service(b, name, "_total", sv, "reason", "exit");
	buf_printf(b, "%" PRIu64 "\n", t.exits);
	put_service(b, name, "_total", sv, "reason", "signal");
	buf_printf(b, "%" PRIu64 "\n", t.signals);
	put_service(b, name, "_total", sv, "reason", "health");
	buf_printf(b, "%" PRIu64 "\n", t.sick);
}

static void
put_reasons(struct buf *b, const char *name, const struct seen *sv)
{
	struct tally t = tally_of(sv->name);
	int i;

	for (i = 0; i < TALLY_REASONS; i++) {
		put_service(b, name, "_total", sv, "reason",
		    tally_reason_name((enum tally_reason)i));
		buf_printf(b, "%" PRIu64 "\n", t.restarts[i]);
	}
}

static const struct family services[] = {
{ "svtree_service_state", STATESET, "1 for the state that the service is in.",
    put_state },
{ "svtree_service_health", STATESET, "1 for the health that the service has.",
    put_health },
{ "svtree_service_wanted", GAUGE, "1 when the service is wanted up.",
    put_wanted },
{ "svtree_service_enabled", GAUGE, "0 when the service is disabled.",
    put_enabled },
{ "svtree_service_healthy", GAUGE, "1 when the service can be used.",
    put_healthy },
{ "svtree_service_restarts", COUNTER, "Restarts that no person asked for.",
    put_restarts },
{ "svtree_service_since_seconds", GAUGE,
    "Unix time of the last change of state.", put_since },
{ "svtree_service_faults", COUNTER,
    "Ends that nobody ordered and failing health, since the listener began.",
    put_faults },
{ "svtree_service_restart_reasons", COUNTER,
    "Starts, by what ended the run before, since the listener began.",
    put_reasons },
{ "svtree_service_oom_kills", COUNTER,
    "Kills for lack of memory, since the listener began.", put_ooms },
{ "svtree_service_incidents", COUNTER,
    "Incidents reported, since the listener began.", put_incidents },
{ "svtree_service_repair_seconds", HISTOGRAM,
    "From a fault to its repair, since the listener began.",
    metrics_put_repairs },
{ "svtree_service_probe_seconds", HISTOGRAM,
    "How long the answers to probes of health took.", metrics_put_answers },
{ "svtree_service_probe_failures", COUNTER,
    "Probes of health that were not answered in time.",
    metrics_put_failures },
};

/* What both formats say of a family, each in its own words. */
static void
put_head(struct buf *b, bool open, const char *name, enum kind kind,
    const char *help)
{
	static const struct {
		const char *open, *old, *suffix;
	} kinds[] = {
		[GAUGE] = { "gauge", "gauge", "" },
		[COUNTER] = { "counter", "counter", "_total" },
		[STATESET] = { "stateset", "gauge", "" },
		[INFO] = { "info", "gauge", "_info" },
		[HISTOGRAM] = { "histogram", "histogram", "" },
	};
	const char *suffix = open ? "" : kinds[kind].suffix;
	const char *word = open ? kinds[kind].open : kinds[kind].old;

	buf_printf(b, "# TYPE %s%s %s\n# HELP %s%s %s\n", name, suffix, word,
	    name, suffix, help);
}

static void
put_row(void *arg, const struct seen *sv)
{
	struct page *p = arg;

	p->family->put(p->b, p->family->name, sv);
}

static void
put_footprint(struct buf *b, bool open)
{
	static const char *const text[2][2] = {
		{ "svtree_supervisor_resident_memory_bytes",
		    "Memory of the supervisor itself." },
		{ "svtree_supervisor_open_fds",
		    "Descriptors that the supervisor has open." },
	};
	int64_t value[2];
	int i;

	footprint_of((pid_t)view_supervisor_pid(), &value[0], &value[1]);
	for (i = 0; i < 2; i++) {
		if (value[i] < 0)	/* not ours to see */
			continue;
		put_head(b, open, text[i][0], GAUGE, text[i][1]);
		buf_printf(b, "%s %" PRId64 "\n", text[i][0], value[i]);
	}
}

static void
put_supervisor(struct buf *b, bool open)
{
	char version[32], since[40];
	int64_t us;

	view_supervisor("version", version, sizeof version);
	view_supervisor("since", since, sizeof since);
	us = when_parse(since);
	put_head(b, open, "svtree_supervisor", INFO, "The supervisor.");
	buf_puts(b, "svtree_supervisor_info{version=\"");
	metrics_put_label(b, version);
	buf_puts(b, "\"} 1\n");
	put_head(b, open, "svtree_supervisor_start_time_seconds", GAUGE,
	    "Unix time at which the supervisor began.");
	buf_printf(b, "svtree_supervisor_start_time_seconds %" PRId64
	    ".%03d\n", us / 1000000, (int)(us / 1000 % 1000));
	put_footprint(b, open);
}

static void
put_counts(struct buf *b, bool open, const struct counts *c)
{
	static const char name[] = "svtree_recovery_requests";
	const struct {
		const char *result;
		uint64_t n;
	} rows[] = {
		{ "started", c->started }, { "joined", c->joined },
		{ "failed", c->failed }, { "refused", c->refused },
		{ "limited", c->limited },
	};
	size_t i;

	put_head(b, open, name, COUNTER,
	    "Requests for recovery, by what came of them.");
	for (i = 0; i < nitems(rows); i++)
		buf_printf(b, "%s_total{result=\"%s\"} %" PRIu64 "\n", name,
		    rows[i].result, rows[i].n);
}

void
metrics_put(struct buf *b, bool open, bool up, const struct counts *c)
{
	struct page page = { .b = b };
	size_t i;

	put_head(b, open, "svtree_up", GAUGE,
	    "1 when the supervisor answers.");
	buf_printf(b, "svtree_up %d\n", up);
	if (up) {
		probes_refresh();
		put_supervisor(b, open);
		for (i = 0; i < nitems(services); i++) {
			page.family = &services[i];
			put_head(b, open, services[i].name, services[i].kind,
			    services[i].help);
			view_services(put_row, &page);
		}
	}
	put_counts(b, open, c);
	if (open)
		buf_puts(b, "# EOF\n");
}
