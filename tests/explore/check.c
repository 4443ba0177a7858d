/* SPDX-License-Identifier: ISC */
/*
 * The promises, asked of one state: what must hold now, and what must come
 * when everybody behaves well from here on.
 */
#include "../fake/libc.h"

#include "buf.h"
#include "explore.h"

/* Its processes; with kill = leader what it left behind is none of them. */
static int
count(int svc)
{
	int i, n = 0;

	for (i = 0; i < W_PROCS; i++)
		n += w.proc[i].life != P_NONE && w.proc[i].svc == svc &&
		    (w.proc[i].kind != K_STRAY ||
		    w_conf[svc].kill != KILL_LEADER);
	return n;
}

static bool
is_quiet(void)
{
	struct os_event ev[1];

	return w_events(ev, 1) == 0 && !sim_tree.needs_changed;
}

static void
check_service(const struct service *sv, int svc)
{
	const struct record *r = &sv->rec;
	const char *name = w_conf[svc].name;

	if (sim.wish[svc] == WISH_DOWN && r->want != WANT_DOWN)
		w_blame("%s was stopped, yet it is wanted", name);
	if (sim.wish[svc] == WISH_UP && r->want != WANT_UP)
		w_blame("%s was started, yet it is not wanted", name);
	/* A child of the last supervisor may be slow to give up. */
	if (is_quiet() && r->state == ST_UP && count(svc) == 0)
		w_blame("%s is said to be UP and is not there", name);
	if (is_quiet() && !state_is_alive((enum state)r->state) &&
	    w_instances(svc) != 0)
		w_blame("%s is said to be %s and runs", name,
		    state_name((enum state)r->state));
	if (svc != W_LOGGER && sim_tree.stopping && (r->state == ST_BACKOFF ||
	    r->state == ST_TRIPPED) && is_quiet())
		w_blame("%s: %s in a shutdown", name,
		    state_name((enum state)r->state));
}

void
check_state(void)
{
	const struct service *sv;
	bool all_down = true;
	int i;

	if (!w.living)
		return;
	for (i = 0; i < W_SERVICES; i++) {
		sv = tree_find(&sim_tree, w_conf[i].name);
		if (sv == NULL)
			continue;
		check_service(sv, i);
		if (sv->rec.state == ST_DOWN || (sv->rec.pid > 0 &&
		    w_instances(i) > 0))
			sim.lost[i] = false;
		all_down &= sv->rec.state == ST_DOWN;
	}
	for (i = 0; all_down && i < W_FDS; i++)
		if (w.fd[i].kind == W_GATE || w.fd[i].kind == W_PROC ||
		    w.fd[i].kind == W_GATE_CHILD || w.fd[i].kind == W_LOCK)
			w_blame("all is down, and a descriptor of kind %d "
			    "is open", w.fd[i].kind);
}

/* --- the fair future */

static bool
behave(void)
{
	int i;

	for (i = 0; i < W_PROCS; i++) {
		struct w_proc *p = &w.proc[i];

		if (p->life == P_FORKED)
			w_take_lock(p);
		else if (p->life == P_LOCKED && (p->byte || p->eof))
			w_pass_gate(p);
		else if (p->life != P_RUNS || p->kind == K_FOREIGN)
			continue;
		else if (p->kind == K_AUX || p->term)
			w_die(p, 0);
		else if (p->kind != K_MAIN)
			continue;
		else if (w_conf[p->svc].type == TYPE_ONESHOT)
			w_die(p, 0);
		else if (!p->said && w_conf[p->svc].ready == READY_NOTIFY)
			w_say_ready(p);
		else
			continue;
		return true;
	}
	return false;
}

/* One step of a world in which nothing goes wrong. False: all is at rest. */
static bool
go_on(void)
{
	struct os_event ev[1];

	if (!w.living && !sim.ended)
		return sim_do((struct step){ .kind = M_BOOT }), true;
	if (w.living && w_events(ev, 1) > 0)
		return sim_do((struct step){ .kind = M_EVENT }), true;
	if (behave())
		return true;
	if (w.living && tree_deadline(&sim_tree) >= 0)
		return sim_do((struct step){ .kind = M_TICK }), true;
	return false;
}

static bool
may_wait(const struct service *sv)
{
	const struct conf_need *need = needs_unmet(sv);
	const struct service *other;

	if (need == NULL)
		return false;
	other = tree_find(&sim_tree, need->name);
	return other == NULL || other->rec.state == ST_TRIPPED ||
	    other->rec.state == ST_DOWN || other->rec.state == ST_WAITING;
}

static void
check_end(const struct service *sv, int svc)
{
	const struct record *r = &sv->rec;
	bool good = false;

	switch ((enum state)r->state) {
	case ST_DOWN:
		good = r->want == WANT_DOWN && count(svc) == 0;
		break;
	case ST_UP:
		/* Who holds the lock of a service whose record is lost is
		 * taken for it, as nothing tells that its leader died. */
		good = r->want != WANT_DOWN && count(svc) == 1 &&
		    (w_instances(svc) == 1 || sim.lost[svc]);
		break;
	case ST_WAITING:
		good = r->want != WANT_DOWN && may_wait(sv);
		break;
	case ST_TRIPPED:
		good = r->want != WANT_DOWN && r->deadline_ms == 0 &&
		    (r->hold || sv->conf->restart == RESTART_NEVER);
		break;
	case ST_STARTING: case ST_STOPPING: case ST_FINISHING:
	case ST_BACKOFF: case ST_UNKNOWN: case ST_COUNT:
	default:
		break;
	}
	if (!good)
		w_blame("%s comes to rest in %s, wanted %s, %d processes",
		    w_conf[svc].name, state_name((enum state)r->state),
		    want_name((enum want)r->want), count(svc));
}

void
check_fair(bool show)
{
	char text[1024];
	bool ending = w.living && sim_tree.stopping;
	const struct service *sv;
	int i, n;

	for (n = 0; n < 600 && w_fault[0] == '\0' && go_on(); n++)
		if (show && n < 24) {
			sim_show(text, sizeof text);
			printf("#    -> %s\n", text);
		}
	if (w_fault[0] != '\0')
		return;
	if (n == 600)
		w_blame("it does not come to rest");
	if (ending && (w.living || !sim.ended))
		w_blame("the shutdown does not end");
	for (i = 0; i < W_SERVICES; i++) {
		sv = w.living ? tree_find(&sim_tree, w_conf[i].name) : NULL;
		if (sv != NULL)
			check_end(sv, i);
		else if (w_instances(i) > 0)
			w_blame("%s is left running", w_conf[i].name);
	}
}
