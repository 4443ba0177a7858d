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
	if (strcmp(value, "1") != 0)
		return;
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
take_reloading(struct service *sv, const char *value)
{
	if (strcmp(value, "1") == 0)
		set_text(sv, "reloading");
}

static void
take_stopping(struct service *sv, const char *value)
{
	if (strcmp(value, "1") == 0)
		set_text(sv, "stopping of its own accord");
}

static void
take_watchdog(struct service *sv, const char *value)
{
	if (strcmp(value, "1") == 0 && sv->rec.state == ST_UP)
		service_feed_watchdog(sv);
	else if (strcmp(value, "trigger") == 0)
		service_watchdog(sv, "asked for it by WATCHDOG=trigger");
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
	const char *word;
	void	(*take)(struct service *, const char *value);
} words[] = {
	{ "READY",		 take_ready },
	{ "STATUS",		 set_text },
	{ "WATCHDOG",		 take_watchdog },
	{ "RELOADING",		 take_reloading },
	{ "STOPPING",		 take_stopping },
	{ "EXTEND_TIMEOUT_USEC", take_extend },
	{ "MAINPID",		 take_mainpid },
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
		if (strcmp(words[i].word, line) == 0)
			words[i].take(sv, value);
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
