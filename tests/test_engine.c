/* SPDX-License-Identifier: ISC */
/* When docker-keeper asks the engine, gives it up and starts it. */
#include <criterion/criterion.h>

#include "engine.h"

#define EVERY 60000

Test(engine, is_there_with_the_first_answer)
{
	struct engine e;

	engine_init(&e, 1000, EVERY);
	cr_expect_eq(engine_deadline(&e), 1000);
	cr_expect_eq(engine_pinged(&e, true, 1000), ENGINE_BACK);
	cr_expect(e.up);
	cr_expect_not(engine_start_due(&e, 1000));
	cr_expect_eq(engine_deadline(&e), 1000 + ENGINE_PING_MS);
	cr_expect_eq(engine_pinged(&e, true, 13000), ENGINE_SAME);
}

Test(engine, one_silence_is_doubt_two_are_loss)
{
	struct engine e;

	engine_init(&e, 0, EVERY);
	(void)engine_pinged(&e, true, 0);
	cr_expect_eq(engine_pinged(&e, false, 5000), ENGINE_SAME);
	cr_expect(e.up);
	cr_expect_eq(engine_deadline(&e), 5000 + ENGINE_PING_AGAIN_MS);
	cr_expect_eq(engine_pinged(&e, true, 5500), ENGINE_SAME);
	cr_expect_eq(engine_pinged(&e, false, 6000), ENGINE_SAME);
	cr_expect_eq(engine_pinged(&e, false, 6500), ENGINE_LOST);
	cr_expect_not(e.up);
	cr_expect_eq(e.lost_ms, 6500);
	cr_expect_eq(engine_pinged(&e, false, 7000), ENGINE_SAME);
	cr_expect_eq(engine_pinged(&e, true, 8000), ENGINE_BACK);
}

Test(engine, doubt_asks_at_once)
{
	struct engine e;

	engine_init(&e, 0, EVERY);
	(void)engine_pinged(&e, true, 0);
	engine_doubt(&e, 100);
	cr_expect_eq(engine_deadline(&e), 100);
	cr_expect(e.up);
}

Test(engine, is_looked_for_less_and_less_often)
{
	struct engine e;
	int64_t now = 0, step, last = 0;
	int i;

	engine_init(&e, 0, EVERY);
	for (i = 0; i < 20; i++) {
		cr_expect_eq(engine_pinged(&e, false, now), ENGINE_SAME);
		step = e.ping_at_ms - now;
		cr_expect_geq(step, last);
		cr_expect_leq(step, ENGINE_LOOK_MAX_MS);
		last = step;
		now = e.ping_at_ms;
	}
	cr_expect_eq(last, ENGINE_LOOK_MAX_MS);
	/* What may have brought it is a reason to look. */
	cr_expect(engine_start_due(&e, now));
	(void)engine_pinged(&e, false, now);
	cr_expect_eq(e.ping_at_ms - now, ENGINE_LOOK_MS);
}

Test(engine, is_started_at_once_and_then_with_a_back_off)
{
	static const int64_t wait[] = { 60000, 120000, 240000, 480000,
	    960000, 1800000, 1800000 };
	struct engine e;
	int64_t now = 0;
	unsigned i;

	engine_init(&e, 0, EVERY);
	(void)engine_pinged(&e, false, 0);
	for (i = 0; i < sizeof wait / sizeof wait[0]; i++) {
		cr_expect(engine_start_due(&e, now), "attempt %u", i);
		cr_expect_eq(e.attempts, (int)i + 1);
		cr_expect_not(engine_start_due(&e, now + wait[i] - 1));
		now += wait[i];
	}
	(void)engine_pinged(&e, true, now);
	cr_expect_not(engine_start_due(&e, now + 1));
	(void)engine_pinged(&e, false, now + 2);
	(void)engine_pinged(&e, false, now + 3);
	cr_expect(engine_start_due(&e, now + 3), "lost: at once again");
	cr_expect_not(engine_start_due(&e, now + 3 + EVERY - 1));
	cr_expect(engine_start_due(&e, now + 3 + EVERY));
}
