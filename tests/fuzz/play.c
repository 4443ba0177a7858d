/* SPDX-License-Identifier: ISC */
#include "libc.h"

#include "play.h"

static struct conf_need need_a = { .name = (char *)"a" };

void
play_set_up(void)
{
	static const char *const name[W_SERVICES] = { "a", "b", "svlog" };
	static char *words[] = { (char *)"program", NULL };
	int i;

	for (i = 0; i < W_SERVICES; i++)
		w_conf[i] = (struct conf_service){ .name = (char *)name[i],
		    .dir = (char *)"/f/services/x", .exec = { words, 1 },
		    .restart_delay_ms = 1000, .restart_max_ms = 60000,
		    .restart_limit = 3, .restart_window_ms = 300000,
		    .stop_signal = SIGTERM, .stop_timeout_ms = 20000,
		    .start_timeout_ms = 60000,
		    .fingerprint = (uint64_t)i + 1 };
	w_conf[0].ready = w_conf[W_LOGGER].ready = READY_NOTIFY;
	w_conf[1].needs = (struct conf_needs){ &need_a, 1 };
	w_conf[1].has_finish = true;
}
