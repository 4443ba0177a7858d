/* SPDX-License-Identifier: ISC */
/*
 * The families of the probes: one set of samples for each kind of probe that
 * was ever made of a service.
 */
#include <inttypes.h>
#include <stdio.h>

#include "metrics.h"
#include "probes.h"

static void
put_sample(struct buf *b, const char *name, const char *suffix,
    const struct seen *sv, int probe, const char *le)
{
	buf_printf(b, "%s%s{service=\"", name, suffix);
	metrics_put_label(b, sv->name);
	buf_printf(b, "\",probe=\"%s\"",
	    latency_probe_name((enum latency_probe)probe));
	if (le != NULL)
		buf_printf(b, ",le=\"%s\"", le);
	buf_puts(b, "} ");
}

/* Seconds, as OpenMetrics writes floating numbers: 0.005, 1.0. */
static void
bound_text(char *dst, size_t cap, int i)
{
	if (i == LATENCY_BOUNDS)
		(void)snprintf(dst, cap, "+Inf");
	else if (latency_bound_ms[i] % 1000 == 0)
		(void)snprintf(dst, cap, "%d.0", latency_bound_ms[i] / 1000);
	else
		(void)snprintf(dst, cap, "%g", latency_bound_ms[i] / 1000.0);
}

static void
put_histogram(struct buf *b, const char *name, const struct seen *sv,
    int probe, const struct latency_count *c)
{
	uint64_t below = 0;
	char le[16];
	int i;

	for (i = 0; i <= LATENCY_BOUNDS; i++) {
		below += c->bucket[i];
		bound_text(le, sizeof le, i);
		put_sample(b, name, "_bucket", sv, probe, le);
		buf_printf(b, "%" PRIu64 "\n", below);
	}
	put_sample(b, name, "_sum", sv, probe, NULL);
	buf_printf(b, "%" PRIu64 ".%03d\n", c->sum_ms / 1000,
	    (int)(c->sum_ms % 1000));
	put_sample(b, name, "_count", sv, probe, NULL);
	buf_printf(b, "%" PRIu64 "\n", below);
}

void
metrics_put_answers(struct buf *b, const char *name, const struct seen *sv)
{
	const struct latency *l = probes_find(sv->name);
	int i;

	for (i = 0; l != NULL && i < LATENCY_PROBES; i++)
		if (latency_answered(&l->count[i]) + l->count[i].failed > 0)
			put_histogram(b, name, sv, i, &l->count[i]);
}

void
metrics_put_failures(struct buf *b, const char *name, const struct seen *sv)
{
	const struct latency *l = probes_find(sv->name);
	int i;

	for (i = 0; l != NULL && i < LATENCY_PROBES; i++) {
		if (latency_answered(&l->count[i]) + l->count[i].failed == 0)
			continue;
		put_sample(b, name, "_total", sv, i, NULL);
		buf_printf(b, "%" PRIu64 "\n", l->count[i].failed);
	}
}
