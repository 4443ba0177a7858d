/* SPDX-License-Identifier: ISC */
/*
 * How long the answers of a round took, for whoever shows it.
 */
#include "health.h"
#include "latency.h"
#include "os.h"

static const enum latency_probe probes[LAYER_COUNT] = {
	[LAYER_LIVE] = LATENCY_LIVE, [LAYER_READY] = LATENCY_READY,
	[LAYER_SCHED] = LATENCY_SCHED, [LAYER_ALSO] = LATENCY_ALSO,
	[LAYER_DEEP] = LATENCY_DEEP,
};

static bool
is_answer(enum outcome out)
{
	return out != OUT_SILENT && out != OUT_REFUSED && out != OUT_BROKEN;
}

void
latency_note(const struct target *t, const struct round *r)
{
	struct latency *l = latency_take(t->conf->name);
	int64_t wall_s = os_wall_us() / 1000000;
	const struct probe *p;
	bool is_first = true;
	int i;

	if (l == NULL)
		return;
	for (i = 0; i < LAYER_COUNT; i++) {
		p = &r->probe[i];
		if (p->out == OUT_NONE)
			continue;
		latency_add(l, probes[i], p->elapsed_ms, is_answer(p->out));
		if (is_first && i != LAYER_DEEP)
			latency_add_day(l, p->elapsed_ms, is_answer(p->out),
			    wall_s);
		is_first = false;
	}
	latency_save(l);
}
