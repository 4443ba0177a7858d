/* SPDX-License-Identifier: ISC */
/*
 * Follows the engine's events: opens the stream, opens it again from the
 * last event on when it broke, and asks for a sign of life because a stream
 * that hangs says nothing. Events are queued by the callback and taken in by
 * watch_step, so that nothing runs within http.c. No engine is normal and
 * said once. Verdicts are box.c's, telling them is oom_tell.c's.
 */
#include <stdio.h>
#include <string.h>

#include "docker.h"
#include "log.h"
#include "oom_conf.h"
#include "box.h"
#include "oom_tell.h"
#include "oom_watch.h"
#include "os.h"

#define BOXES		64
#define QUEUE		256	/* as many as the engine replays */
#define RETRY_MS	2000
#define RETRY_MAX_MS	30000
#define PING_EVERY_MS	15000
#define PING_MS		2000
#define PINGS_MISSED	2

static struct {
	struct docker	 engine;
	int		 stream;	/* 0: none */
	bool		 said_gone;
	int64_t		 retry_at_ms, retry_ms;
	int64_t		 ping_at_ms;
	int		 missed;
	int64_t		 since_ns;
	char		 last[48 + 80];	/* action and id at since_ns */
	struct docker_event queue[QUEUE];
	unsigned	 head, count;
	struct box	 box[BOXES];
} w = { .retry_ms = RETRY_MS };

static bool
is_repeated(const struct docker_event *e)
{
	char key[sizeof w.last];
	bool same;

	(void)snprintf(key, sizeof key, "%s %s", e->action, e->id);
	same = e->time_ns == w.since_ns && strcmp(key, w.last) == 0;
	(void)memcpy(w.last, key, sizeof w.last);
	w.since_ns = e->time_ns;
	return same;
}

static void
on_event(void *arg, const struct docker_event *e)
{
	(void)arg;
	if (is_repeated(e))
		return;
	if (w.count == QUEUE) {		/* the oldest goes */
		w.head = (w.head + 1) % QUEUE;
		w.count--;
	}
	w.queue[(w.head + w.count++) % QUEUE] = *e;
}

static void
on_end(void *arg, const char *why)
{
	(void)arg;
	w.stream = 0;
	w.retry_ms = RETRY_MS;
	w.retry_at_ms = os_now_ms() + RETRY_MS;
	if (!w.said_gone)
		log_info("the engine's events ended: %s", why);
	w.said_gone = true;
}

static void
try_later(int64_t now_ms, const char *why)
{
	if (!w.said_gone)
		log_info("no container engine to watch: %s", why);
	w.said_gone = true;
	w.retry_at_ms = now_ms + w.retry_ms;
	w.retry_ms *= 2;
	if (w.retry_ms > RETRY_MAX_MS)
		w.retry_ms = RETRY_MAX_MS;
}

static void
open_stream(int64_t now_ms)
{
	char err[DOCKER_ERR_LEN] = "";

	if (docker_find(&w.engine, oom_conf_socket(), err) < 0 ||
	    docker_ping(&w.engine, PING_MS, err) < 0) {
		try_later(now_ms, err);
		return;
	}
	w.stream = docker_events(&w.engine, w.since_ns, on_event, on_end,
	    NULL);
	if (w.stream <= 0) {
		w.stream = 0;
		try_later(now_ms, "its events cannot be opened");
		return;
	}
	log_info("follows the events of %s", w.engine.socket);
	w.said_gone = false;
	w.missed = 0;
	w.retry_ms = RETRY_MS;
	w.ping_at_ms = now_ms + PING_EVERY_MS;
	/* From here on, even when the stream breaks before its first event. */
	if (w.since_ns == 0)
		w.since_ns = os_wall_us() * 1000;
}

void
watch_close(void)
{
	if (w.stream != 0)
		http_cancel(w.stream);
	w.stream = 0;
}

void
watch_reopen(void)
{
	watch_close();
	w.retry_at_ms = 0;
	w.retry_ms = RETRY_MS;
}

static void
check_engine(int64_t now_ms)
{
	char err[DOCKER_ERR_LEN] = "";

	w.ping_at_ms = now_ms + PING_EVERY_MS;
	if (docker_ping(&w.engine, PING_MS, err) == 0) {
		w.missed = 0;
		return;
	}
	if (++w.missed < PINGS_MISSED)
		return;
	watch_close();
	try_later(now_ms, err);
}

/* The box of the name, or the one unheard of for longest. */
static struct box *
box_of(const char *name)
{
	struct box *b, *oldest = NULL;

	for (b = w.box; b < w.box + BOXES; b++) {
		if (strcmp(b->name, name) == 0)
			return b;
		if (!b->pending && !b->alone &&
		    (oldest == NULL || b->seen_ns < oldest->seen_ns))
			oldest = b;
	}
	if (oldest == NULL)
		oldest = w.box;
	*oldest = (struct box){ .name = "" };
	return oldest;
}

static void
take_events(int64_t now_ms)
{
	struct docker_event e;
	struct box *b;

	while (w.count > 0) {
		e = w.queue[w.head];
		w.head = (w.head + 1) % QUEUE;
		w.count--;
		b = box_of(e.name);
		if (box_is_overdue(b, &e))
			tell_death(&w.engine, b);
		box_event(b, &e, now_ms);
	}
}

/* Returns the earliest deadline that is left. */
static int64_t
judge_due(int64_t now_ms)
{
	int64_t next = INT64_MAX;
	struct box *b;

	for (b = w.box; b < w.box + BOXES; b++) {
		if (!b->pending && !b->alone)
			continue;
		if (b->deadline_ms > now_ms) {
			if (b->deadline_ms < next)
				next = b->deadline_ms;
		} else if (b->pending) {
			tell_death(&w.engine, b);
		} else {
			tell_outlived(&w.engine, b);
		}
	}
	return next;
}

int64_t
watch_step(int64_t now_ms)
{
	int64_t next, other;

	if (w.stream == 0 && now_ms >= w.retry_at_ms)
		open_stream(now_ms);
	else if (w.stream != 0 && now_ms >= w.ping_at_ms)
		check_engine(now_ms);
	take_events(now_ms);
	next = judge_due(now_ms);
	other = w.stream != 0 ? w.ping_at_ms : w.retry_at_ms;
	if (w.count > 0)
		other = now_ms;
	return other < next ? other : next;
}
