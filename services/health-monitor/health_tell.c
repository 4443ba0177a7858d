/* SPDX-License-Identifier: ISC */
/*
 * What is told: a change of verdict to the log and the supervisor, once, and
 * again to a supervisor that was not there. Figures that change with each
 * round are no change.
 */
#include <stdio.h>
#include <string.h>

#include "health.h"
#include "health_words.h"
#include "log.h"
#include "report.h"
#include "self.h"

#define REASON_KEPT	71	/* bytes, by the supervisor */
#define STARTING_MS	1000	/* before that it is not worth a word */

static void
send_report(struct target *t, const struct report *r)
{
	char err[CLIENT_ERR_LEN];
	int rc;

	if (!report_wanted())
		return;
	if ((rc = report_send(t->conf->name, r, err)) != 0)
		log_warnx("%s: report to the supervisor: %s", t->conf->name,
		    err);
	t->untold = rc < 0;	/* an answer that says no is an answer */
}

static void
send_verdict(struct target *t)
{
	const struct report r = { .reason = t->told_why,
	    .health = verdict_health(t->told, t->history.ready_ms != 0) };

	send_report(t, &r);
}

static bool
is_news(const struct target *t, const struct judgement *j, int64_t now_ms)
{
	if (j->why[0] == '\0')
		return false;
	if (j->verdict == VERDICT_STARTING &&
	    now_ms - t->history.up_ms < STARTING_MS)
		return false;
	if (j->verdict != t->told)
		return true;
	/* The times of a good answer differ, and say nothing new. */
	return j->verdict != VERDICT_READY && strcmp(j->why, t->told_why) != 0;
}

static bool
is_failure(enum verdict v)
{
	return v == VERDICT_WEDGED || v == VERDICT_DEAD;
}

/* What it said last is gone from its log's end when it is found. */
static void
send_last_lines(struct target *t)
{
	char lines[CONF_INCIDENT_MAX - 40], incident[CONF_INCIDENT_MAX];
	int n = evidence_last_lines(t, lines, sizeof lines);

	if (n == 0)
		return;
	(void)snprintf(incident, sizeof incident, "its last %s: %s",
	    n == 1 ? "line was" : "lines were", lines);
	tell_text(t, NULL, incident);
}

/* The reason has room for its beginning alone. */
static void
send_evidence(struct target *t, const struct judgement *j)
{
	char incident[CONF_INCIDENT_MAX];
	const char *place = evidence_place(t);

	/* Not of its log's words, nor of a container that has ended. */
	if (t->history.said_wedged || (t->server == SERVER_DOCKER &&
	    t->evidence[0] == '\0'))
		return;
	if (place[0] == '\0' && (t->evidence[0] == '\0' ||
	    (strlen(j->why) <= REASON_KEPT &&
	    strstr(j->why, t->evidence) != NULL)))
		return;
	if (t->evidence[0] != '\0')
		(void)snprintf(incident, sizeof incident, "the probe%s was "
		    "told: %s", place, t->evidence);
	else
		(void)snprintf(incident, sizeof incident, "the probe%s found: "
		    "%s", place, j->why);
	tell_text(t, NULL, incident);
}

void
tell_verdict(struct target *t, const struct judgement *j, int64_t now_ms)
{
	bool is_new;

	if (!is_news(t, j, now_ms)) {
		if (t->untold)
			send_verdict(t);
		return;
	}
	is_new = is_failure(j->verdict) && !is_failure(t->told);
	t->told = j->verdict;
	(void)snprintf(t->told_why, sizeof t->told_why, "%s", j->why);
	log_info("%s: %s: %s", t->conf->name, verdict_name(j->verdict),
	    j->why);
	send_verdict(t);
	if (is_new) {
		send_evidence(t, j);
		send_last_lines(t);
	}
	if (j->verdict == VERDICT_READY)
		t->evidence[0] = '\0';
	if (j->verdict != VERDICT_FOREIGN && !is_failure(j->verdict))
		tell_text(t, "", NULL);
}

void
tell_self(void)
{
	int n = targets_count();
	char text[48];

	if (n == 0)
		(void)snprintf(text, sizeof text, "no service has [health]");
	else
		(void)snprintf(text, sizeof text, "asks %d service%s", n,
		    n == 1 ? "" : "s");
	self_health("ok", text);
}

void
tell_healed(struct target *t, int64_t now_ms)
{
	char text[120], incident[200], after[24];
	const struct report r = { .text = text, .incident = incident };

	words_time(after, sizeof after, now_ms - t->fault_ms);
	(void)snprintf(text, sizeof text, "restarted: %s", t->cause);
	(void)snprintf(incident, sizeof incident, "healed by a restart after "
	    "%s: %s", after, t->cause);
	log_info("%s: %s", t->conf->name, incident);
	t->cause[0] = '\0';
	send_report(t, &r);
}

void
tell_again(struct target *t)
{
	if (t->told != VERDICT_UNKNOWN)
		t->untold = true;
}

void
tell_text(struct target *t, const char *text, const char *incident)
{
	const struct report r = { .text = text, .incident = incident };

	if (incident != NULL)
		log_info("%s: %s", t->conf->name, incident);
	if (text == NULL || strcmp(text, t->told_text) != 0 ||
	    incident != NULL)
		send_report(t, &r);
	if (text != NULL)
		(void)snprintf(t->told_text, sizeof t->told_text, "%s", text);
}
