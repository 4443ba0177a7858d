/* SPDX-License-Identifier: ISC */
/*
 * The latencies of the last day, read from health-monitor's file when they
 * are asked for.
 */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "probes.h"

static struct latency known[LATENCY_MAX];
static int nknown;

void
probes_refresh(void)
{
	nknown = latency_read(NULL, known, LATENCY_MAX);
}

const struct latency *
probes_find(const char *service)
{
	int i;

	for (i = 0; i < nknown; i++)
		if (strcmp(known[i].name, service) == 0)
			return &known[i];
	return NULL;
}

static void
put_mean(struct buf *b, uint64_t sum_ms, uint64_t n)
{
	char text[32];
	int len;

	if (n == 0) {
		json_put_null(b);
		return;
	}
	len = snprintf(text, sizeof text, "%.3f", (double)sum_ms / (double)n);
	json_put_raw(b, text, (size_t)len);
}

static void
put_slots(struct buf *b, const struct latency *l, int64_t newest)
{
	static const struct latency_slot none;
	const struct latency_slot *s;
	int64_t at;

	json_open(b, '[');
	for (at = newest - LATENCY_SLOTS + 1; at <= newest; at++) {
		if ((s = latency_slot_of(l, at)) == NULL)
			s = &none;
		put_mean(b, s->sum_ms, s->n);
	}
	json_close(b, ']');
}

static void
put_one(struct buf *b, const struct latency *l, int64_t newest)
{
	struct latency_day day = latency_sum_day(l, newest);

	json_key(b, l->name);
	json_open(b, '{');
	json_key(b, "slots");
	put_slots(b, l, newest);
	if (l->last_ok)
		json_set_int(b, "last_ms", l->last_ms);
	json_key(b, "mean_ms");
	put_mean(b, day.sum_ms, day.n);
	json_set_int(b, "max_ms", day.max_ms);
	json_set_int(b, "failed", (int64_t)day.failed);
	json_close(b, '}');
}

void
probes_put(struct buf *b, int64_t now_s)
{
	int i;

	json_open(b, '{');
	json_set_int(b, "slot_s", LATENCY_SLOT_S);
	json_key(b, "services");
	json_open(b, '{');
	for (i = 0; i < nknown; i++)
		put_one(b, &known[i], now_s / LATENCY_SLOT_S);
	json_close(b, '}');
	json_close(b, '}');
}
