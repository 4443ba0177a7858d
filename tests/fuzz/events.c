/* SPDX-License-Identifier: ISC */
/*
 * Long sequences of what can happen (explore/sim.c), one byte a step: deeper
 * than the breadth-first exploration comes. The promises are asked after
 * every step, the fair future at the end. A byte from 0xc0 on kills the
 * supervisor within the next turn.
 */
#include "libc.h"

#include "fuzz.h"
#include "play.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static char before[SIM_MAX];
	struct step list[STEPS_MAX], s;
	int many, deeds;
	unsigned crash = 0;
	size_t i;

	if (n > 400)
		return 0;
	play_set_up();
	sim_begin();
	for (i = 0; i < n; i++) {
		if (bytes[i] >= 0xc0) {
			crash = bytes[i] - 0xbfu;
			continue;
		}
		many = sim_steps(list);
		s = list[bytes[i] % many];
		if (crash > 0 && !sim_is_crowded() && (s.kind <= M_BOOT &&
		    s.kind != M_CRASH)) {
			(void)sim_save(before);
			deeds = sim_do(s);
			sim_load(before);
			if (deeds > 0)
				s.crash = (uint8_t)(1 + (int)crash % deeds);
		}
		crash = 0;
		(void)sim_do(s);
		if (w_fault[0] == '\0')
			check_state();
		PROMISE(w_fault[0] == '\0', "step %zu: %s", i, w_fault);
	}
	check_fair(false);
	PROMISE(w_fault[0] == '\0', "in the end: %s", w_fault);
	return 0;
}
