/* SPDX-License-Identifier: ISC */
/*
 * When a timer is due: pure. All times are os_awake_ms, which counts sleep.
 */
#include "policy.h"

struct timer_verdict
policy_timer(const struct conf_service *conf, int64_t due_ms, int64_t now_ms,
    uint32_t dice)
{
	int64_t spread = conf->every_jitter_ms + 1;
	int64_t next = now_ms + conf->every_ms +
	    (int64_t)(dice % 1000000) * spread / 1000000;
	struct timer_verdict v = { false, due_ms };

	if (due_ms == TIMER_HELD)
		return v;
	if (due_ms == 0) {
		v.due_ms = next;
	} else if (due_ms <= now_ms) {
		v.run = true;	/* once, however many were missed */
		v.due_ms = next;
	} else if (due_ms > now_ms + conf->every_ms + conf->every_jitter_ms) {
		v.due_ms = next;	/* every has become shorter */
	}
	return v;
}
