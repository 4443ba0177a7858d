/* SPDX-License-Identifier: ISC */
/*
 * Report, from a service program to the supervisor: opens the control
 * socket, says it, closes. It keeps no connection, so that a supervisor that
 * was replaced needs no care, and it does not know what is reported.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "json.h"
#include "report.h"

#define REPORT_MS	3000
/* The supervisor's bounds of a reason and of any other text. */
#define REASON_MAX	119
#define TEXT_MAX	199

bool
report_wanted(void)
{
	const char *run = getenv("SVTREE_RUN");

	return run != NULL && *run != '\0';
}

static void
set_cut(struct buf *b, const char *name, const char *s, size_t max)
{
	char text[CONF_INCIDENT_MAX + 1];

	if (s == NULL)
		return;
	buf_fit(text, max + 1, s);
	json_set_str(b, name, text);
}

static int
put(struct buf *b, const char *service, const struct report *r)
{
	json_open(b, '{');
	json_set_str(b, "name", service);
	set_cut(b, "health", r->health, REASON_MAX);
	set_cut(b, "text", r->text, TEXT_MAX);
	set_cut(b, "reason", r->reason, REASON_MAX);
	set_cut(b, "incident", r->incident, CONF_INCIDENT_MAX);
	if (r->oom || r->ended)
		json_set_bool(b, "oom", r->oom);
	if (r->ending)
		json_set_bool(b, "ending", true);
	json_close(b, '}');
	(void)buf_cstr(b);
	return b->overflow ? -1 : 0;
}

int
report_send(const char *service, const struct report *r, char *err)
{
	struct client_reply reply = { .error = "" };
	char text[CLIENT_PARAMS_MAX];
	struct client c;
	struct buf b;
	int rc;

	buf_init(&b, text, sizeof text);
	if (put(&b, service, r) < 0) {
		(void)snprintf(err, CLIENT_ERR_LEN, "report is too long");
		return 1;
	}
	if (client_open(&c, NULL, err) < 0)
		return -1;
	rc = client_call(&c, "Report", text, &reply, REPORT_MS, err);
	if (rc < 0 && reply.error[0] != '\0')
		rc = 1;
	client_close(&c);
	return rc;
}
