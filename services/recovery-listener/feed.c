/* SPDX-License-Identifier: ISC */
/*
 * Follows the events. Services that changed are gathered for a moment, then
 * asked for by name, so that a burst costs one call; too many at once, or a
 * new supervisor, and clients are told to read the status anew. An open
 * stream gets a sign of life now and then.
 */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "conf.h"
#include "feed.h"
#include "feed_words.h"
#include "history.h"
#include "os.h"
#include "tally.h"
#include "view.h"
#include "web.h"
#include "when.h"

#define GATHER_MS	30
#define AGAIN_MS	1000	/* to the next look for a supervisor */
#define ALIVE_MS	15000
#define CALL_MS		250
#define DIRTY		16

static struct {
	struct client	 client;
	bool		 live;
	int64_t		 again_ms, alive_ms;
	int64_t		 due_ms;		/* to tell of dirty; 0 none */
	int		 dirty;
	char		 name[DIRTY][CONF_NAME_MAX + 1];
} feed = { .client = { .fd = -1 } };

static char message_mem[65536];

void
feed_message(struct buf *b, const char *name, const char *json, size_t len)
{
	buf_printf(b, "event: %s\ndata: ", name);
	buf_put(b, json, len);
	buf_puts(b, "\n\n");
}

static void
publish(const char *name, const char *json, size_t len)
{
	struct buf b;

	if (web_streams() == 0)
		return;
	buf_init(&b, message_mem, sizeof message_mem);
	feed_message(&b, name, json, len);
	if (!b.overflow)
		web_publish(b.base, b.len);
}

static void
mark_dirty(const char *name, int64_t now_ms)
{
	int i;

	if (feed.due_ms == 0)
		feed.due_ms = now_ms + GATHER_MS;
	for (i = 0; i < feed.dirty && i < DIRTY; i++)
		if (strcmp(feed.name[i], name) == 0)
			return;
	if (i < DIRTY)
		(void)snprintf(feed.name[i], sizeof feed.name[i], "%s",
		    name);
	if (feed.dirty <= DIRTY)
		feed.dirty++;
}

static void
take_event(const struct json *j, int event, int64_t now_ms)
{
	struct tally_event e;
	struct words w;
	const char *raw;
	size_t len;

	words_read(&w, j, event);
	if (words_count(&w)) {
		raw = json_raw(j, event, &len);
		past_keep(raw, len);
		publish("incident", raw, len);
	}
	if (w.service[0] != '\0') {
		e = (struct tally_event){ w.service, w.event, w.state,
		    w.want, w.health, w.reason, when_parse(w.at) };
		tally_add(&e);
		history_add(w.service, history_judge(w.state, w.want,
		    w.health), e.at_us);
		mark_dirty(w.service, now_ms);
	} else if (strcmp(w.event, "reload") == 0) {
		publish("reload", "{}", 2);
	}
}

/* The services that changed, as they are now; or the word to read all. */
static void
tell(void)
{
	struct client_reply r;
	int list, v, n = feed.dirty;
	const char *raw;
	size_t len;

	feed.dirty = 0;
	feed.due_ms = 0;
	if (web_streams() == 0)
		return;
	if (n > DIRTY || view_named(feed.name, n, &r) < 0) {
		publish("reload", "{}", 2);
		return;
	}
	list = json_get(&r.json, r.params, "services");
	for (v = json_first(&r.json, list); v >= 0;
	    v = json_next(&r.json, list, v)) {
		raw = json_raw(&r.json, v, &len);
		publish("service", raw, len);
	}
}

static void
know(void *arg, const struct seen *sv)
{
	history_know(sv->name, history_judge(sv->state, sv->want,
	    sv->health), sv->since_us, *(const int64_t *)arg);
}

static void
connect_again(int64_t now_ms)
{
	int64_t wall_us = os_wall_us();
	char err[CLIENT_ERR_LEN];

	feed.again_ms = now_ms + AGAIN_MS;
	if (client_open(&feed.client, NULL, err) < 0)
		return;
	if (client_send(&feed.client, "Subscribe", NULL, true, CALL_MS,
	    err) < 0) {
		client_close(&feed.client);
		return;
	}
	feed.live = true;
	if (view_refresh(0, err) == 0)
		view_services(know, &wall_us);
	publish("reload", "{}", 2);
}

static void
receive(int64_t now_ms)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int event, rc;

	while ((rc = client_recv(&feed.client, &r, 0, err)) > 0) {
		event = json_get(&r.json, r.params, "event");
		if (event >= 0)
			take_event(&r.json, event, now_ms);
	}
	if (rc == 0)
		return;
	client_close(&feed.client);
	feed.live = false;
	feed.again_ms = now_ms + AGAIN_MS / 10;
	publish("gone", "{}", 2);
}

void
feed_open(void)
{
	past_open();
}

int
feed_fd(void)
{
	return feed.live ? feed.client.fd : -1;
}

bool
feed_is_live(void)
{
	return feed.live;
}

static int64_t
earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
feed_step(int64_t now_ms)
{
	int64_t next = INT64_MAX;

	if (!feed.live && now_ms >= feed.again_ms)
		connect_again(now_ms);
	if (feed.live)
		receive(now_ms);
	if (feed.due_ms != 0 && now_ms >= feed.due_ms)
		tell();
	if (web_streams() > 0 && now_ms >= feed.alive_ms) {
		web_publish(": alive\n\n", 9);
		feed.alive_ms = now_ms + ALIVE_MS;
	}
	if (!feed.live)
		next = feed.again_ms;
	if (feed.due_ms != 0)
		next = earliest(next, feed.due_ms);
	if (web_streams() > 0)
		next = earliest(next, feed.alive_ms);
	return next;
}
