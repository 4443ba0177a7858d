/* SPDX-License-Identifier: ISC */
/*
 * What a service says of itself by sd_notify(3): a table of words. The socket
 * is service_ready.c's; what a word leads to is the machine's.
 */
#include <sys/socket.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "os.h"
#include "service.h"

#define EXTEND_MAX_MS	3600000	/* of one EXTEND_TIMEOUT_USEC */
#define BURST		16	/* datagrams taken at a time */

bool
service_may_notify(const struct conf_service *conf)
{
	return conf->ready == READY_NOTIFY || conf->watchdog_ms > 0;
}

void
service_feed_watchdog(struct service *sv)
{
	sv->dog_ms = sv->conf->watchdog_ms > 0 ?
	    os_now_ms() + sv->conf->watchdog_ms : 0;
}

void
service_watchdog(struct service *sv, const char *why)
{
	sv->dog_ms = 0;
	if (sv->rec.state != ST_UP)
		return;
	event_tell(sv, "incident", why);
	service_restart(sv, why, AGAIN_COUNTED);
}

static void
take_ready(struct service *sv, const char *value)
{
	(void)value;
	if (sv->conf->ready == READY_NOTIFY)
		service_ready(sv, "");
}

static void
set_text(struct service *sv, const char *text)
{
	char fitting[sizeof sv->rec.text];

	buf_fit(fitting, sizeof fitting, text);
	if (strcmp(sv->rec.text, fitting) == 0)
		return;
	(void)memcpy(sv->rec.text, fitting, sizeof fitting);
	(void)service_save(sv);
	event_tell(sv, "text", sv->rec.text);
}

static void
take_alive(struct service *sv, const char *value)
{
	(void)value;
	if (sv->rec.state == ST_UP)
		service_feed_watchdog(sv);
}

/* A start or a stop that is known to take long. */
static void
take_extend(struct service *sv, const char *value)
{
	int64_t ms = strtoll(value, NULL, 10) / 1000;
	struct record *r = &sv->rec;

	if (ms <= 0 || r->deadline_ms == 0 ||
	    (r->state != ST_STARTING && r->state != ST_STOPPING))
		return;
	ms = os_now_ms() + (ms < EXTEND_MAX_MS ? ms : EXTEND_MAX_MS);
	if (ms <= r->deadline_ms)
		return;
	r->deadline_ms = ms;
	(void)service_save(sv);
}

static void
take_mainpid(struct service *sv, const char *value)
{
	if (strtoll(value, NULL, 10) == sv->rec.pid)
		return;
	event_tell(sv, "notify", "MAINPID is refused: the process that was "
	    "started is the service; start it in the foreground");
}

static const struct {
	const char *word, *value;	/* NULL: any */
	void	(*take)(struct service *, const char *value);
	const char *text;		/* taken instead of the value */
} words[] = {
	{ "READY", "1", take_ready, NULL },
	{ "STATUS", NULL, set_text, NULL },
	{ "WATCHDOG", "1", take_alive, NULL },
	{ "WATCHDOG", "trigger", service_watchdog,
	    "asked for it by WATCHDOG=trigger" },
	{ "RELOADING", "1", set_text, "reloading" },
	{ "STOPPING", "1", set_text, "stopping of its own accord" },
	{ "EXTEND_TIMEOUT_USEC", NULL, take_extend, NULL },
	{ "MAINPID", NULL, take_mainpid, NULL },
};

static void
take_line(struct service *sv, char *line)
{
	char *value = strchr(line, '=');
	size_t i;

	if (value == NULL)
		return;
	*value++ = '\0';
	for (i = 0; i < nitems(words); i++)
		if (strcmp(words[i].word, line) == 0 &&
		    (words[i].value == NULL ||
		    strcmp(words[i].value, value) == 0))
			words[i].take(sv, words[i].text != NULL ?
			    words[i].text : value);
}

void
service_notified(struct service *sv)
{
	char text[2048], *line, *rest;
	ssize_t n;
	int i;

	for (i = 0; i < BURST && sv->notify_fd >= 0; i++) {
		n = recv(sv->notify_fd, text, sizeof text - 1, 0);
		if (n < 0)
			return;
		text[n] = '\0';
		rest = text;
		while ((line = strsep(&rest, "\n")) != NULL)
			take_line(sv, line);
	}
}
