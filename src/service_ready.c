/* SPDX-License-Identifier: ISC */
/*
 * Readiness: exec alone, sd_notify(3) datagrams, a newline on a descriptor
 * (s6), or a check script. One NOTIFY_SOCKET per service, bound by name, so
 * that it works on every system and a successor can take it over.
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "service.h"

#define CHECK_TIMEOUT_MS	5000
#define LIMBO_MS		500	/* a child whose gate closed is gone */
#define PRESUME_MS		60000	/* without a start-timeout */

void
service_ready(struct service *sv, const char *why)
{
	if (sv->rec.state != ST_STARTING)
		return;
	sv->rec.ready_ms = os_now_ms();
	service_feed_watchdog(sv);
	service_event(sv, EV_READY, why);
}

void
service_ready_open(struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];

	if (!service_may_notify(sv->conf))
		return;
	service_path(sv, "notify", path, sizeof path);
	if (sv->notify_fd < 0)
		sv->notify_fd = os_bind_path(path, SOCK_DGRAM, 0600);
	if (sv->notify_fd < 0)
		log_warn("%s: make its notify socket", sv->conf->name);
	else
		(void)os_watch(sv->notify_fd, OS_READ,
		    TAG(TAG_NOTIFY, sv->slot));
}

void
service_ready_close(struct service *sv)
{
	os_drop(&sv->gate_fd);
	os_drop(&sv->notify_fd);
	os_drop(&sv->ready_fd);
}

void
service_ready_readable(struct service *sv)
{
	char text[64];
	ssize_t n;

	n = read(sv->ready_fd, text, sizeof text);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && memchr(text, '\n', (size_t)n) != NULL)
		service_ready(sv, "");
	else if (n > 0)
		return;
	os_drop(&sv->ready_fd);
}

/* What it said to the earlier supervisor, or to none, is lost. One that only
 * has to run is ready when it is no child that is about to give up; of the
 * others it is presumed at start-timeout: better than to kill it. */
void
service_presume(struct service *sv)
{
	struct record *r = &sv->rec;

	if (sv->ready_fd >= 0 || (sv->is_child &&
	    sv->conf->ready != READY_NONE))
		return;		/* an upgrade has lost nothing */
	sv->presume = true;
	if (sv->conf->ready != READY_NOTIFY)
		r->deadline_ms = os_now_ms() + LIMBO_MS;
	else if (r->deadline_ms == 0)
		r->deadline_ms = os_now_ms() + PRESUME_MS;
	(void)service_save(sv);
}

void
service_start_late(struct service *sv)
{
	if (!sv->presume)
		service_event(sv, EV_TIMER, "not ready within start-timeout");
	else
		service_ready(sv, sv->conf->ready == READY_NONE ? "" :
		    "presumed ready: an earlier supervisor may have been "
		    "told");
}

void
service_check(struct service *sv)
{
	sv->aux = AUX_CHECK;
	if (sv->rec.state != ST_STARTING || !sv->conf->has_check ||
	    spawn_aux(sv, AUX_CHECK, CHECK_TIMEOUT_MS) < 0) {
		sv->aux = AUX_NONE;
		sv->aux_ms = 0;
	}
}
