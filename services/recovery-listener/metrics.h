/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_METRICS_H
#define SVTREE_METRICS_H

#include "buf.h"
#include "view.h"

/*
 * The tree in figures: OpenMetrics 1.0, or the older Prometheus text format
 * for who asks for that. Names and labels are an interface: they stay.
 */
struct counts {			/* of the listener itself */
	uint64_t started, joined, failed, refused, limited;
};

#define METRICS_OPEN "application/openmetrics-text; version=1.0.0; " \
	"charset=utf-8"
#define METRICS_TEXT "text/plain; version=0.0.4; charset=utf-8"

/* open: OpenMetrics. up: the view is of now. */
void metrics_put(struct buf *b, bool open, bool up, const struct counts *c);

/* The value of a label, with what needs a backslash. */
void metrics_put_label(struct buf *b, const char *s);
/* metrics_probes.c: histograms and probes, one service at a time. */
void metrics_put_repairs(struct buf *b, const char *name,
    const struct seen *sv);
void metrics_put_answers(struct buf *b, const char *name,
    const struct seen *sv);
void metrics_put_failures(struct buf *b, const char *name,
    const struct seen *sv);

#endif
