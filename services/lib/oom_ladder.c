/* SPDX-License-Identifier: ISC */
/*
 * The host's memory as a ladder of three rungs, with hysteresis, and its
 * words. The kernel's own verdict counts where there is one, and stalls
 * (PSI) where they are measured. It does not know what is done about it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "box.h"
#include "oom_ladder.h"

/* What a rung is reached by, or kept by: any of it; in percent. */
struct marks {
	int	free;		/* available below */
	int	swapping_free;	/* the same, with more than SWAPPING in swap */
	int	stall;		/* PSI some avg10 from */
};

#define SWAPPING	(INT64_C(2) << 30)

static const struct rung {
	const char	*word;
	int		 verdict;	/* the kernel's from */
	struct marks	 enter, keep;
} rungs[] = {
	[PRESSURE_OK] =	      { "ok", 0, { 0, 0, 0 }, { 0, 0, 0 } },
	[PRESSURE_WARNING] =  { "warning", MEM_WARN,
	    { 12, 20, 10 }, { 16, 24, 5 } },
	[PRESSURE_CRITICAL] = { "critical", MEM_CRITICAL,
	    { 5, 0, 40 }, { 8, 0, 20 } },
};

static int
free_percent(const struct mem_sample *m)
{
	if (m->total <= 0 || m->available >= m->total)
		return 100;
	return (int)(m->available / (m->total / 100 + 1));
}

int
mem_used_percent(const struct mem_sample *m)
{
	return 100 - free_percent(m);
}

/* Free memory is scarce on a healthy Mac: where the kernel has a verdict,
 * that one counts. But it calls a host normal that has begun to swap. */
static bool
holds(int verdict, const struct marks *mark, const struct mem_sample *m)
{
	if (m->swap_used >= SWAPPING &&
	    free_percent(m) < mark->swapping_free)
		return true;
	if (m->verdict != MEM_UNKNOWN)
		return m->verdict >= verdict;
	if (m->stall_percent >= mark->stall)
		return true;
	return free_percent(m) < mark->free;
}

bool
ladder_step(struct ladder *l, const struct mem_sample *m)
{
	enum pressure p, before = l->level;

	for (p = PRESSURE_CRITICAL; p > before; p--)
		if (holds(rungs[p].verdict, &rungs[p].enter, m)) {
			*l = (struct ladder){ .level = p };
			return true;
		}
	while (p > PRESSURE_OK && !holds(rungs[p].verdict, &rungs[p].keep, m))
		p--;
	if (p == before) {
		l->calmer = 0;
		return false;
	}
	if (++l->calmer < LADDER_CALM)
		return false;
	*l = (struct ladder){ .level = p };
	return true;
}

const char *
pressure_word(enum pressure p)
{
	return (size_t)p < nitems(rungs) ? rungs[p].word : "unknown";
}

void
host_words(const struct mem_sample *m, int disk_free, char *dst, size_t cap)
{
	char size[24];
	struct buf b;

	buf_init(&b, dst, cap);
	size_words(m->swap_used, size, sizeof size);
	buf_printf(&b, "memory %d %% used, swap %s", mem_used_percent(m),
	    size);
	if (m->stall_percent > 0)
		buf_printf(&b, ", stalled %d %%", m->stall_percent);
	if (disk_free >= 0)
		buf_printf(&b, ", disk %d %% free", disk_free);
	(void)buf_cstr(&b);
}
