/* SPDX-License-Identifier: ISC */
/*
 * The histograms, and the other families of the probes: one set of samples
 * for each kind of probe that was ever made of a service.
 */
#include <inttypes.h>
#include <stdio.h>

#include "metrics.h"
#include "probes.h"
#include "tally.h"

static void
put_sample(struct buf *b, const char *name, const char *suffix,
    const struct seen *sv, const char *probe, const char *le)
{
	buf_printf(b, "%s%s{service=\"", name, suffix);
	metrics_put_label(b, sv->name);
	if (probe != NULL)
		buf_printf(b, "\",probe=\"%s", probe);
	if (le != NULL)
		buf_printf(b, "\",le=\"%s", le);
	buf_puts(b, "\"} ");
}

/* Seconds, as OpenMetrics writes floating numbers: 0.005, 1.0. */
static void
bound_text(char *dst, size_t cap, int ms)
{
	(void)snprintf(dst, cap, ms % 1000 == 0 ? "%.1f" : "%g", ms / 1000.0);
}

struct histogram {
	const uint64_t *bucket;	/* n, and one above all */
	const int *bound_ms;
	int	 n;
	int64_t	 sum_us;
};

static void
put_histogram(struct buf *b, const char *name, const struct seen *sv,
    const char *probe, const struct histogram *h)
{
	uint64_t below = 0;
	char le[16];
	int i;

	for (i = 0; i <= h->n; i++) {
		below += h->bucket[i];
		if (i < h->n)
			bound_text(le, sizeof le, h->bound_ms[i]);
		put_sample(b, name, "_bucket", sv, probe,
		    i < h->n ? le : "+Inf");
		buf_printf(b, "%" PRIu64 "\n", below);
	}
	put_sample(b, name, "_sum", sv, probe, NULL);
	buf_printf(b, "%" PRId64 ".%06d\n", h->sum_us / 1000000,
	    (int)(h->sum_us % 1000000));
	put_sample(b, name, "_count", sv, probe, NULL);
	buf_printf(b, "%" PRIu64 "\n", below);
}

void
metrics_put_repairs(struct buf *b, const char *name, const struct seen *sv)
{
	struct tally t = tally_of(sv->name);

	put_histogram(b, name, sv, NULL, &(struct histogram){ t.repair,
	    tally_bound_ms, TALLY_BOUNDS, t.repair_us });
}

static void
put_answers(struct buf *b, const char *name, const struct seen *sv, int probe,
    const struct latency_count *c)
{
	put_histogram(b, name, sv,
	    latency_probe_name((enum latency_probe)probe),
	    &(struct histogram){ c->bucket, latency_bound_ms, LATENCY_BOUNDS,
	    (int64_t)c->sum_ms * 1000 });
}

void
metrics_put_answers(struct buf *b, const char *name, const struct seen *sv)
{
	const struct latency *l = probes_find(sv->name);
	int i;

	for (i = 0; l != NULL && i < LATENCY_PROBES; i++)
		if (latency_answered(&l->count[i]) + l->count[i].failed > 0)
			put_answers(b, name, sv, i, &l->count[i]);
}

void
metrics_put_failures(struct buf *b, const char *name, const struct seen *sv)
{
	const struct latency *l = probes_find(sv->name);
	int i;

	for (i = 0; l != NULL && i < LATENCY_PROBES; i++) {
		if (latency_answered(&l->count[i]) + l->count[i].failed == 0)
			continue;
		put_sample(b, name, "_total", sv,
		    latency_probe_name((enum latency_probe)i), NULL);
		buf_printf(b, "%" PRIu64 "\n", l->count[i].failed);
	}
}
