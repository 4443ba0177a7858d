/* SPDX-License-Identifier: ISC */
/*
 * Asks the engine and follows its events. Events lead to a look; an answer
 * that fails to come, twice in a row, means that there is no engine.
 */
#include <string.h>

#include "keeper_link.h"
#include "keeper_tell.h"
#include "os.h"

#define PING_MS		3000
#define INSPECT_MS	5000

void
link_init(struct link *l, struct keeper *k, const char *container,
    const char *socket)
{
	(void)memset(l, 0, sizeof *l);
	l->keeper = k;
	l->container = container;
	l->socket = socket;
}

static void
on_event(void *arg, const struct docker_event *e)
{
	struct link *l = arg;

	if (e->time_ns > l->since_ns)
		l->since_ns = e->time_ns;
	if (strcmp(e->name, l->container) == 0)
		keeper_event(l->keeper, e, os_now_ms());
}

static void
on_end(void *arg, const char *why)
{
	struct link *l = arg;

	(void)why;
	l->stream = 0;
	keeper_doubt(l->keeper, os_now_ms());
}

static void
open_stream(struct link *l)
{
	if (l->stream > 0)
		return;
	l->stream = docker_events(&l->docker, l->since_ns, on_event, on_end,
	    l);
	/* From here on, should it break before its first event. */
	if (l->since_ns == 0)
		l->since_ns = os_wall_us() * 1000;
}

static void
drop_stream(struct link *l)
{
	if (l->stream > 0)
		http_cancel(l->stream);
	l->stream = 0;
}

void
link_reopen(struct link *l)
{
	drop_stream(l);
	keeper_doubt(l->keeper, os_now_ms());
}

static void
no_answer(struct link *l, const char *why)
{
	bool lost = keeper_missed(l->keeper, os_now_ms());

	if (!lost && l->keeper->phase != PH_ENGINE)
		return;
	drop_stream(l);
	keeper_tell_no_engine(why);
}

void
link_lost(struct link *l)
{
	while (l->keeper->phase != PH_ENGINE)
		no_answer(l, "the engine is gone");
}

bool
link_answers(struct link *l)
{
	char why[DOCKER_ERR_LEN];

	return docker_ping(&l->docker, PING_MS, why) == 0;
}

void
link_find(struct link *l)
{
	char why[DOCKER_ERR_LEN] = "";

	if (docker_find(&l->docker, l->socket, why) < 0 ||
	    docker_ping(&l->docker, PING_MS, why) < 0) {
		no_answer(l, why);
		return;
	}
	keeper_begin(l->keeper, os_now_ms());
	open_stream(l);
}

enum step
link_look(struct link *l)
{
	char why[DOCKER_ERR_LEN] = "";
	enum step step;

	if (docker_inspect(&l->docker, l->container, &l->seen, INSPECT_MS,
	    why) < 0) {
		no_answer(l, why);
		return STEP_WAIT;
	}
	open_stream(l);
	step = keeper_saw(l->keeper, &l->seen, os_now_ms());
	if (step == STEP_WAIT && l->keeper->phase == PH_RUN)
		keeper_tell_health(&l->seen);
	return step;
}
