/* SPDX-License-Identifier: ISC */
/*
 * Adds probes up: counts by how long they took, and a ring of a day.
 */
#include <stddef.h>

#include "latency.h"

const int latency_bound_ms[LATENCY_BOUNDS] = { 5, 10, 25, 50, 100, 250, 500,
	1000, 2500, 5000, 10000, 30000 };

static void
count(struct latency_count *c, int elapsed_ms, bool answered)
{
	int i;

	if (!answered) {
		c->failed++;
		return;
	}
	for (i = 0; i < LATENCY_BOUNDS; i++)
		if (elapsed_ms <= latency_bound_ms[i])
			break;
	c->bucket[i]++;
	c->sum_ms += (uint64_t)elapsed_ms;
}

static void
enter(struct latency_slot *s, uint32_t number, int elapsed_ms, bool answered)
{
	if (s->number != number)
		*s = (struct latency_slot){ .number = number };
	if (!answered) {
		s->failed++;
		return;
	}
	s->n++;
	s->sum_ms += (uint64_t)elapsed_ms;
	if ((uint32_t)elapsed_ms > s->max_ms)
		s->max_ms = (uint32_t)elapsed_ms;
}

void
latency_add(struct latency *l, enum latency_probe probe, int elapsed_ms,
    bool answered)
{
	count(&l->count[probe], elapsed_ms < 0 ? 0 : elapsed_ms, answered);
}

void
latency_add_day(struct latency *l, int elapsed_ms, bool answered,
    int64_t wall_s)
{
	uint32_t number = (uint32_t)(wall_s / LATENCY_SLOT_S);

	if (elapsed_ms < 0)
		elapsed_ms = 0;
	enter(&l->slot[number % LATENCY_SLOTS], number, elapsed_ms, answered);
	l->last_ms = (uint32_t)elapsed_ms;
	l->last_ok = answered;
}

uint64_t
latency_answered(const struct latency_count *c)
{
	uint64_t n = 0;
	int i;

	for (i = 0; i <= LATENCY_BOUNDS; i++)
		n += c->bucket[i];
	return n;
}

const char *
latency_probe_name(enum latency_probe probe)
{
	static const char *const names[LATENCY_PROBES] = {
		[LATENCY_LIVE] = "live", [LATENCY_READY] = "ready",
		[LATENCY_SCHED] = "sched", [LATENCY_ALSO] = "also",
		[LATENCY_DEEP] = "deep",
	};

	return names[probe];
}

const struct latency_slot *
latency_slot_of(const struct latency *l, int64_t number)
{
	const struct latency_slot *s = &l->slot[number % LATENCY_SLOTS];

	return s->number == (uint32_t)number ? s : NULL;
}

struct latency_day
latency_sum_day(const struct latency *l, int64_t newest)
{
	struct latency_day day = { .n = 0 };
	const struct latency_slot *s;
	int64_t at;

	for (at = newest - LATENCY_SLOTS + 1; at <= newest; at++) {
		if ((s = latency_slot_of(l, at)) == NULL)
			continue;
		day.n += s->n;
		day.sum_ms += s->sum_ms;
		day.failed += s->failed;
		if (s->max_ms > day.max_ms)
			day.max_ms = s->max_ms;
	}
	return day;
}
