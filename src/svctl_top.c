/* SPDX-License-Identifier: ISC */
/*
 * svctl top: the services live, with what their process groups use, and keys
 * to restart, stop, start them and to read their logs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"
#include "svctl_screen.h"
#include "svctl_top.h"

#define LOOK_MS		1000	/* between two looks at usage */
#define CALL_MS		5000

static const struct sv *
selected(const struct top *t)
{
	return t->at < t->list.n ? &t->list.sv[t->at] : NULL;
}

/* What was measured before, under the same name. */
static void
measure(struct load *now, const struct load *old, int n, const struct sv *sv)
{
	int64_t ms = os_now_ms();
	int i;

	memset(now, 0, sizeof *now);
	(void)strlcpy(now->name, sv->name, sizeof now->name);
	now->permille = -1;
	for (i = 0; i < n; i++)
		if (ctl_is(old[i].name, sv->name) && old[i].pid == sv->pid)
			break;
	if (i < n && ms - old[i].at_ms < LOOK_MS / 2) {
		*now = old[i];
		return;
	}
	now->pid = sv->pid;
	now->at_ms = ms;
	if (sv->pid <= 0 || os_group_usage((pid_t)sv->pid, &now->rss,
	    &now->cpu_ms) < 0)
		return;
	if (i < n && now->cpu_ms >= old[i].cpu_ms && ms > old[i].at_ms)
		now->permille = (int)((int64_t)(now->cpu_ms -
		    old[i].cpu_ms) * 1000 / (ms - old[i].at_ms));
}

static enum order sorted_by;
static const struct load *sorted_loads;
static int sorted_n;

static int64_t
weight(const struct sv *sv)
{
	int i;

	for (i = 0; i < sorted_n; i++)
		if (ctl_is(sorted_loads[i].name, sv->name))
			return sorted_by == BY_CPU ?
			    sorted_loads[i].permille :
			    (int64_t)(sorted_loads[i].rss >> 10);
	return -1;
}

static int
compare(const void *a, const void *b)
{
	const struct sv *x = a, *y = b;
	int64_t left, right;

	if (sorted_by != BY_NAME) {
		left = weight(x);
		right = weight(y);
		if (left != right)
			return left < right ? 1 : -1;
	}
	return strcmp(x->name, y->name);
}

/* The list anew, in its order, the same service selected. */
static int
look(struct top *t)
{
	struct load *loads;
	char name[64] = "";
	int i, old = t->list.n;

	if (selected(t) != NULL)
		(void)strlcpy(name, selected(t)->name, sizeof name);
	if (ctl_list(t->c, NULL, 0, &t->list, false) != CTL_OK)
		return -1;
	sorted_by = t->order;
	sorted_loads = t->load;
	sorted_n = t->load != NULL ? old : 0;
	if (t->list.n > 1)
		qsort(t->list.sv, (size_t)t->list.n, sizeof *t->list.sv,
		    compare);
	loads = calloc((size_t)t->list.n + 1, sizeof *loads);
	if (loads == NULL)
		return -1;
	for (i = 0; i < t->list.n; i++)
		measure(&loads[i], t->load, t->load != NULL ? old : 0,
		    &t->list.sv[i]);
	free(t->load);
	t->load = loads;
	for (i = 0; i < t->list.n; i++)
		if (ctl_is(t->list.sv[i].name, name))
			t->at = i;
	if (t->at >= t->list.n)
		t->at = t->list.n > 0 ? t->list.n - 1 : 0;
	return 0;
}

static const struct {
	int	 key;
	const char *method, *done;
} deeds[] = {
	{ 'r', "Restart", "restarting" }, { 's', "Stop", "stopping" },
	{ 'u', "Start", "starting" },
};

static void
act(struct top *t, int key)
{
	const struct sv *sv = selected(t);
	char mem[256], err[CLIENT_ERR_LEN];
	struct client_reply r;
	struct buf b;
	size_t i;

	for (i = 0; i < nitems(deeds) && deeds[i].key != key; i++)
		continue;
	if (i == nitems(deeds) || sv == NULL)
		return;
	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_set_str(&b, "name", sv->name);
	json_close(&b, '}');
	if (client_call(&t->c->client, deeds[i].method, buf_cstr(&b), &r,
	    CALL_MS, err) < 0)
		(void)snprintf(t->message, sizeof t->message, "%s: %.180s",
		    sv->name, err);
	else
		(void)snprintf(t->message, sizeof t->message, "%s %s",
		    deeds[i].done, sv->name);
}

static void
move_by(struct top *t, int n)
{
	t->at += n;
	if (t->at >= t->list.n)
		t->at = t->list.n - 1;
	if (t->at < 0)
		t->at = 0;
}

static void
ask(struct top *t, int key)
{
	const struct sv *sv = selected(t);
	size_t i;

	for (i = 0; i < nitems(deeds) && deeds[i].key != key; i++)
		continue;
	if (sv == NULL || i == nitems(deeds))
		return;
	t->asked = key;
	(void)snprintf(t->message, sizeof t->message, "%s %s? y or n",
	    deeds[i].method, sv->name);
}

/* False: leave. */
static bool
take_key(struct top *t, int key)
{
	if (key == KEY_NONE)
		return true;
	t->message[0] = '\0';
	if (t->asked != 0) {
		if (key == 'y')
			act(t, t->asked);
		t->asked = 0;
		return true;
	}
	switch (key) {
	case KEY_END:
	case 'q':
		return false;
	case KEY_UP:
	case 'k':
		move_by(t, -1);
		break;
	case KEY_DOWN:
	case 'j':
		move_by(t, 1);
		break;
	case KEY_PAGE_UP:
		move_by(t, -top_list_rows(t));
		break;
	case KEY_PAGE_DOWN:
		move_by(t, top_list_rows(t));
		break;
	case KEY_HOME:
		move_by(t, -t->list.n);
		break;
	case KEY_LAST:
		move_by(t, t->list.n);
		break;
	case 'l':
		t->log = !t->log;
		break;
	case 'n':
		t->order = BY_NAME;
		break;
	case 'c':
		t->order = BY_CPU;
		break;
	case 'm':
		t->order = BY_MEMORY;
		break;
	case 'u':
		act(t, key);
		break;
	default:
		ask(t, key);
		break;
	}
	return true;
}

/* What has come is read, for it fills the socket, and not looked at. */
static void
drain(struct top *t)
{
	char err[CLIENT_ERR_LEN];
	struct client_reply r;
	int got;

	while ((got = client_recv(&t->c->events, &r, 0, err)) > 0)
		continue;
	t->gone = got < 0;
}

static void
run(struct top *t)
{
	bool stay = true;

	while (stay) {
		if (look(t) < 0)
			return;
		top_draw(t);
		stay = take_key(t, screen_key(t->c->events.fd, LOOK_MS));
		drain(t);
		if (t->gone)
			return;
	}
}

int
svctl_top(struct ctl *c)
{
	struct top t = { .c = c, .t = ctl_term(stdout) };
	int rc;

	if ((rc = ctl_subscribe(c)) != CTL_OK)
		return rc;
	if (screen_open() < 0) {
		(void)fprintf(stderr, "svctl: top needs a terminal; svctl "
		    "status prints the same once\n");
		return CTL_USAGE;
	}
	run(&t);
	screen_close();
	ctl_list_free(&t.list);
	free(t.load);
	if (!t.gone)
		return CTL_OK;
	(void)fprintf(stderr, "svctl: the supervisor has gone; svctl status "
	    "tells what is left\n");
	return CTL_NO_SUPERVISOR;
}
