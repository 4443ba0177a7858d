/* SPDX-License-Identifier: ISC */
/*
 * The engine as seen by its pings. One silence is doubted, the second counts:
 * an engine under load may miss one. Starting it is tried at once, then with
 * a back-off, because a start command may need minutes, or a person.
 */
#include "engine.h"

void
engine_init(struct engine *e, int64_t now_ms, int64_t start_every_ms)
{
	*e = (struct engine){ .ping_at_ms = now_ms, .start_at_ms = now_ms,
	    .look_ms = ENGINE_LOOK_MS, .start_ms = start_every_ms,
	    .start_every_ms = start_every_ms, .lost_ms = now_ms,
	    .missed = ENGINE_MISSES };
}

static enum engine_news
answered(struct engine *e, int64_t now_ms)
{
	bool back = !e->up;

	e->up = true;
	e->missed = 0;
	e->attempts = 0;
	e->look_ms = ENGINE_LOOK_MS;
	e->start_ms = e->start_every_ms;
	e->ping_at_ms = now_ms + ENGINE_PING_MS;
	return back ? ENGINE_BACK : ENGINE_SAME;
}

enum engine_news
engine_pinged(struct engine *e, bool good, int64_t now_ms)
{
	if (good)
		return answered(e, now_ms);
	if (e->up && ++e->missed < ENGINE_MISSES) {
		e->ping_at_ms = now_ms + ENGINE_PING_AGAIN_MS;
		return ENGINE_SAME;
	}
	e->ping_at_ms = now_ms + e->look_ms;
	e->look_ms *= 2;
	if (e->look_ms > ENGINE_LOOK_MAX_MS)
		e->look_ms = ENGINE_LOOK_MAX_MS;
	if (!e->up)
		return ENGINE_SAME;
	e->up = false;
	e->lost_ms = now_ms;
	e->start_at_ms = now_ms;
	return ENGINE_LOST;
}

void
engine_doubt(struct engine *e, int64_t now_ms)
{
	e->ping_at_ms = now_ms;
	e->look_ms = ENGINE_LOOK_MS;
}

bool
engine_start_due(struct engine *e, int64_t now_ms)
{
	if (e->up || now_ms < e->start_at_ms)
		return false;
	e->attempts++;
	e->start_at_ms = now_ms + e->start_ms;
	e->start_ms *= 2;
	if (e->start_ms > ENGINE_START_MAX_MS)
		e->start_ms = ENGINE_START_MAX_MS;
	/* It may be there in a moment. */
	e->look_ms = ENGINE_LOOK_MS;
	return true;
}

int64_t
engine_deadline(const struct engine *e)
{
	if (!e->up && e->start_at_ms < e->ping_at_ms)
		return e->start_at_ms;
	return e->ping_at_ms;
}
