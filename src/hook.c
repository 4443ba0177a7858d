/* SPDX-License-Identifier: ISC */
/*
 * Hooks: programs that are told what happened to a service, as JSON on their
 * standard input. They run beside everything, with a deadline; nobody waits
 * for them, and no storm of crashes becomes one of hooks: what happens within
 * a pause is counted and told by the next run.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "log.h"
#include "os.h"
#include "policy.h"
#include "service.h"
#include "spawn_child.h"
#include "status.h"

#define RUNNING_MAX	16
#define PAUSE_MS	10000	/* between two runs of a hook of a service */
#define SETTLE_MS	5000	/* well for so long: it has recovered */

static struct running {
	pid_t	 pid;		/* 0: free */
	int64_t	 kill_ms;
	const char *event;
	char	 service[CONF_NAME_MAX + 1];
} running[RUNNING_MAX];

static const char *const events[HOOK_COUNT] = {
	[HOOK_CRASH] = "crash", [HOOK_TRIP] = "trip",
	[HOOK_INCIDENT] = "incident", [HOOK_RECOVERY] = "recovery",
};

static void
put_story(struct buf *b, const struct service *sv, enum hook hook)
{
	const struct hook_state *h = &sv->hook[hook];
	struct status_now now = { os_now_ms(), os_awake_ms(), os_wall_us() };

	json_open(b, '{');
	json_set_str(b, "event", events[hook]);
	json_set_time(b, "at", h->at_us);
	json_set_str(b, "tree", sv->tree->run);
	json_set_str(b, "service", sv->conf->name);
	json_set_str(b, "reason", h->reason);
	json_set_int(b, "count", h->count);
	json_key(b, "status");
	status_put_service(b, sv->conf, &sv->rec, sv->stale, &now);
	json_close(b, '}');
	buf_putc(b, '\n');
}

/* A pipe that holds the whole story, so that nobody has to write on. */
static int
fill_pipe(const struct service *sv, enum hook hook)
{
	/* All of the reason may have to be escaped. */
	char mem[STATUS_SERVICE_MAX + 6 * CONF_INCIDENT_MAX + 1024];
	struct buf b;
	int fd[2];

	buf_init(&b, mem, sizeof mem);
	put_story(&b, sv, hook);
	if (b.overflow || os_pipe(fd) < 0)
		return -1;
	if (os_nonblock(fd[1]) < 0 ||
	    write(fd[1], b.base, b.len) != (ssize_t)b.len) {
		(void)close(fd[0]);
		fd[0] = -1;
	}
	(void)close(fd[1]);
	return fd[0];
}

static int
run(struct service *sv, enum hook hook, struct running *place, int64_t now)
{
	int in = fill_pipe(sv, hook);
	pid_t pid;

	if (in < 0)
		return -1;
	pid = fork();
	if (pid == 0)
		spawn_child_aux(sv, conf_rare(sv->conf)->hook[hook].v, in, -1);
	(void)close(in);
	if (pid < 0)
		return -1;
	place->pid = pid;
	place->kill_ms = now + conf_rare(sv->conf)->hook_timeout_ms;
	place->event = events[hook];
	(void)snprintf(place->service, sizeof place->service, "%s",
	    sv->conf->name);
	return 0;
}

static struct running *
free_place(void)
{
	int i;

	for (i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid == 0)
			return &running[i];
	return NULL;
}

/* On record, so that the next supervisor still tells of the recovery. */
static void
set_ill(struct service *sv, bool ill)
{
	sv->hook[HOOK_RECOVERY].count = 0;
	if (ill == (sv->rec.ill_s != 0))
		return;
	sv->rec.ill_s = ill ? (uint32_t)(os_wall_us() / 1000000) : 0;
	(void)service_save(sv);
}

/* Runs what is told and not paused. */
static void
run_due(struct service *sv, int64_t now)
{
	struct running *place;
	struct hook_state *h;
	int i;

	for (i = 0; i < HOOK_COUNT && sv->hook != NULL; i++) {
		h = &sv->hook[i];
		if (conf_rare(sv->conf)->hook[i].n == 0)
			h->count = 0;	/* a reload took it away */
		if (h->count == 0 || now < h->next_ms ||
		    (place = free_place()) == NULL)
			continue;
		h->next_ms = now + PAUSE_MS;
		if (run(sv, (enum hook)i, place, now) < 0)
			event_tell(sv, "hook", "cannot be run; tried again");
		else if (i == HOOK_RECOVERY)
			set_ill(sv, false);
		else
			h->count = 0;
	}
}

void
hook_prepare(struct service *sv)
{
	int i;

	for (i = 0; i < HOOK_COUNT && sv->hook == NULL; i++)
		if (conf_rare(sv->conf)->hook[i].n > 0 && (sv->hook =
		    calloc(HOOK_COUNT, sizeof *sv->hook)) == NULL)
			log_warn("%s: remember its hooks", sv->conf->name);
}

/* Well again: told when it has stayed so for a while. */
static void
get_well(struct service *sv)
{
	struct hook_state *h = &sv->hook[HOOK_RECOVERY];
	int64_t now = os_now_ms();

	if (sv->rec.ill_s == 0 || h->count > 0)
		return;
	h->count = 1;
	h->at_us = os_wall_us();
	(void)snprintf(h->reason, sizeof h->reason, "well again after %lld s",
	    (long long)(h->at_us / 1000000 - sv->rec.ill_s));
	if (h->next_ms < now + SETTLE_MS)
		h->next_ms = now + SETTLE_MS;
}

void
hook_look(struct service *sv)
{
	const struct record *r = &sv->rec;

	if (sv->hook == NULL || conf_rare(sv->conf)->hook[HOOK_RECOVERY].n == 0)
		return;
	if (r->want == WANT_DOWN)	/* a person's word: nothing to mend */
		set_ill(sv, false);
	else if (r->state == ST_UP && r->health == HEALTH_FAILING)
		set_ill(sv, true);
	else if (r->state == ST_UP)
		get_well(sv);
	else
		sv->hook[HOOK_RECOVERY].count = 0;
}

void
hook_tell(struct service *sv, enum hook hook, const char *reason)
{
	struct hook_state *h;

	if (sv->hook == NULL)
		return;
	if ((hook == HOOK_CRASH || hook == HOOK_TRIP) &&
	    conf_rare(sv->conf)->hook[HOOK_RECOVERY].n > 0) {
		set_ill(sv, true);
		hook_look(sv);	/* it may run again already */
	}
	if (conf_rare(sv->conf)->hook[hook].n == 0)
		return;
	h = &sv->hook[hook];
	h->count++;
	h->at_us = os_wall_us();
	buf_fit(h->reason, sizeof h->reason, reason);
	run_due(sv, os_now_ms());
}

bool
hook_exited(struct tree *t, pid_t pid, int status)
{
	struct service *sv;
	char text[120], words[64];
	int i;

	for (i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid == pid)
			break;
	if (i == RUNNING_MAX)
		return false;
	(void)kill(-pid, SIGKILL);	/* what it left behind */
	running[i].pid = 0;
	sv = tree_find(t, running[i].service);
	if (status == 0 || sv == NULL)
		return true;
	(void)snprintf(text, sizeof text, "on-%s %s", running[i].event,
	    service_exit_words(status, words, sizeof words));
	event_tell(sv, "hook", text);
	return true;
}

int64_t
hook_deadline(const struct tree *t)
{
	int64_t first = -1;
	int i, k;

	for (i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid != 0)
			first = policy_sooner(first, running[i].kill_ms);
	if (free_place() == NULL)	/* one must end first */
		return first;
	for (i = 0; i < t->n; i++)
		for (k = 0; k < HOOK_COUNT && t->sv[i]->hook != NULL; k++)
			if (t->sv[i]->hook[k].count > 0)
				first = policy_sooner(first,
				    t->sv[i]->hook[k].next_ms);
	return first;
}

void
hook_step(struct tree *t, int64_t now)
{
	int i;

	for (i = 0; i < RUNNING_MAX; i++)
		if (running[i].pid != 0 && running[i].kill_ms <= now) {
			(void)kill(-running[i].pid, SIGKILL);
			running[i].kill_ms = now + PAUSE_MS;
		}
	for (i = 0; i < t->n; i++)
		run_due(t->sv[i], now);
}
