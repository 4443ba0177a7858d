/* SPDX-License-Identifier: ISC */
/*
 * The steps: which are possible, and how each is done to the real code.
 */
#include "../fake/libc.h"

#include <errno.h>
#include <stddef.h>

#include "buf.h"
#include "control.h"
#include "explore.h"

#define YEAR_MS	31536000000

struct sim sim;
bool sim_logger_is_prompt;
struct tree sim_tree;

static const char *const names[M_KINDS] = {
	[M_TICK] = "the next deadline comes", [M_LATE] = "an hour passes",
	[M_EVENT] = "event", [M_START] = "start", [M_STOP] = "stop",
	[M_RESTART] = "restart", [M_ONCE] = "once", [M_ENABLE] = "enable",
	[M_DISABLE] = "disable", [M_RELOAD] = "reload",
	[M_SHUTDOWN] = "shutdown", [M_CRASH] = "SIGKILL of the supervisor",
	[M_BOOT] = "a supervisor starts", [M_LOSE] = "record lost",
	[M_REUSE] = "pid reused by a stranger", [M_LOCK] = "takes the lock",
	[M_GATE] = "passes the gate", [M_READY] = "says ready",
	[M_EXIT] = "exits 0", [M_FAIL] = "exits 1",
	[M_KILLED] = "is killed", [M_STRAY] = "dies, leaves a stray",
};

void
sim_begin(void)
{
	int i;

	w_init();
	memset(&sim, 0, sizeof sim);
	memset(&sim_tree, 0, sizeof sim_tree);
	for (i = 0; i < W_LOGGER; i++)	/* what is there is to be up */
		if (w_conf[i].type == TYPE_DAEMON &&
		    w_conf[i].restart != RESTART_NEVER)
			sim.wish[i] = WISH_UP;
}

/* --- the supervisor's side */

static void
turns(void)
{
	int n;

	tree_step(&sim_tree);
	for (n = 0; n < 30 && sim_tree.needs_changed && !sim_tree.done; n++)
		tree_step(&sim_tree);
	if (n == 30)
		w_blame("the loop does not come to rest");
}

static void
boot(void)
{
	char err[CONF_ERR_LEN];

	memset(&sim_tree, 0, sizeof sim_tree);
	(void)snprintf(sim_tree.run, sizeof sim_tree.run, "/f/run");
	(void)snprintf(sim_tree.state, sizeof sim_tree.state, "/f/state");
	w.living = true;
	sim.ended = false;
	if (tree_open(&sim_tree, err) < 0 ||
	    tree_load(&sim_tree, NULL, NULL, NULL) < 0) {
		w_blame("no start: %.100s", err);
		return;
	}
	tree_adopt(&sim_tree);
	turns();
}

static void
verb(const char *method, int svc)
{
	static char out[CONTROL_OUT_MAX];
	char text[160], name[64], err[JSON_ERR_LEN];
	struct json_tok tok[16];
	struct conn conn = { .fd = -1, .listing = -1 };
	struct call c = { .tree = &sim_tree, .conn = &conn };

	(void)snprintf(name, sizeof name, "org.svtree.%s", method);
	(void)snprintf(text, sizeof text, "{\"name\":\"%s\"}",
	    w_conf[svc].name);
	buf_init(&conn.out, out, sizeof out);
	if (json_parse(&c.json, text, strlen(text), tok, (int)nitems(tok),
	    err) < 0)
		w_blame("json: %s", err);
	control_call(&c, name);
}

static void
act(struct step s)
{
	static const char *const methods[M_KINDS] = {
		[M_START] = "Start", [M_STOP] = "Stop",
		[M_RESTART] = "Restart", [M_ONCE] = "Once",
		[M_ENABLE] = "Enable", [M_DISABLE] = "Disable",
		[M_RELOAD] = "Reload", [M_SHUTDOWN] = "Shutdown",
	};
	struct os_event ev[16];
	int64_t next;
	int n;

	if (s.kind == M_BOOT) {
		boot();
		return;
	}
	if (s.kind == M_TICK) {
		next = tree_deadline(&sim_tree);
		if (next > w.now_ms + YEAR_MS)	/* of a broken record */
			next = w.now_ms + YEAR_MS;
		if (next > w.now_ms)
			w.now_ms = next;
	} else if (s.kind == M_LATE) {
		w.now_ms += 3600000;
	} else if (s.kind == M_EVENT) {
		n = w_events(ev, (int)nitems(ev));
		if (s.arg >= n)
			return;
		w_take(&ev[s.arg]);
		tree_dispatch(&sim_tree, &ev[s.arg]);
	} else {
		verb(methods[s.kind], s.arg);
	}
	turns();
}

/* It has ended well, and the supervisor has yet to see it. */
static bool
has_ended_well(int svc)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life == P_ZOMBIE && w.proc[i].svc == svc &&
		    w.proc[i].kind == K_MAIN && w.proc[i].status == 0)
			return true;
	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_PROC && w.fd[i].svc == svc &&
		    w.fd[i].dead && w.fd[i].status == 0)
			return true;
	return false;
}

static void
wish(struct step s, bool killed, bool was_alive)
{
	uint8_t *mine = &sim.wish[s.arg < W_SERVICES ? s.arg : 0];

	if (s.kind == M_RELOAD) {
		sim.wish[1] = killed || w.there[1] ? WISH_ANY : WISH_DOWN;
		return;
	}
	if (s.kind < M_START || s.kind > M_DISABLE || (sim_tree.stopping &&
	    s.kind != M_STOP && s.kind != M_DISABLE))
		return;
	if (s.kind == M_RESTART && *mine != WISH_DOWN)
		return;
	if (s.kind == M_ONCE && !killed && was_alive)
		return;
	*mine = WISH_ANY;
	if (!killed && (s.kind == M_STOP || s.kind == M_DISABLE))
		*mine = WISH_DOWN;
	else if (!killed && s.kind != M_ONCE &&
	    w_conf[s.arg].type == TYPE_DAEMON &&
	    w_conf[s.arg].restart != RESTART_NEVER)
		*mine = w_conf[s.arg].restart == RESTART_ON_FAILURE &&
		    has_ended_well(s.arg) ? WISH_ANY : WISH_UP;
}

static bool
is_alive(int svc)
{
	const struct service *sv = tree_find(&sim_tree, w_conf[svc].name);

	return sv != NULL && state_is_alive((enum state)sv->rec.state);
}

static int
supervise(struct step s)
{
	bool alive = w.living && s.kind >= M_START && s.kind <= M_DISABLE &&
	    is_alive(s.arg);

	w_deeds = 0;
	w_crash_at = s.crash;
	if (s.kind == M_RELOAD)
		w.there[1] = s.arg == 0 ? w.there[1] : !w.there[1];
	if (setjmp(w_crash) != 0) {
		w_crash_at = 0;
		wish(s, true, alive);
		w_supervisor_gone();
		return -1;
	}
	act(s);
	w_crash_at = 0;
	wish(s, false, alive);
	if (sim_tree.done) {
		sim.ended = true;
		w_supervisor_gone();
	}
	return w_deeds;
}

/* --- everybody else's */

static void
lose(int slot)
{
	int i;

	for (i = 0; i < W_SERVICES; i++)
		if (strcmp(w.copy[slot][0].name, w_conf[i].name) == 0 ||
		    strcmp(w.copy[slot][1].name, w_conf[i].name) == 0) {
			sim.wish[i] = WISH_ANY;
			sim.lost[i] = true;
		}
	memset(w.copy[slot], 0, sizeof w.copy[slot]);
}

static const struct record *
newest(int slot)
{
	const struct record *c = w.copy[slot];

	return c[1].seq > c[0].seq ? &c[1] : &c[0];
}

int
sim_do(struct step s)
{
	struct w_proc *p = s.arg < W_PROCS ? &w.proc[s.arg] : NULL;

	switch ((enum move_kind)s.kind) {
	case M_CRASH:
		w_supervisor_gone();
		return -1;
	case M_LOSE:
		lose(s.arg);
		break;
	case M_REUSE:
		(void)w_reuse(newest(s.arg)->pid);
		break;
	case M_LOCK:
		w_take_lock(p);
		break;
	case M_GATE:
		w_pass_gate(p);
		break;
	case M_READY:
		w_say_ready(p);
		break;
	case M_EXIT:
		if (w_conf[p->svc].restart == RESTART_ON_FAILURE &&
		    sim.wish[p->svc] == WISH_UP)
			sim.wish[p->svc] = WISH_ANY;	/* it may be done */
		w_die(p, 0);
		break;
	case M_FAIL:
		w_die(p, 1 << 8);
		break;
	case M_KILLED:
		w_die(p, SIGKILL);
		break;
	case M_STRAY:
		w_leave_stray(p, SIGKILL);
		break;
	case M_TICK: case M_LATE: case M_EVENT: case M_START: case M_STOP:
	case M_RESTART: case M_ONCE: case M_ENABLE: case M_DISABLE:
	case M_RELOAD: case M_SHUTDOWN: case M_BOOT: case M_KINDS:
	default:
		return supervise(s);
	}
	return 0;
}

/* --- what can happen */

static int n_steps;

static void
may(struct step *list, enum move_kind kind, int arg)
{
	if (n_steps < STEPS_MAX)
		list[n_steps++] = (struct step){ .kind = (uint8_t)kind,
		    .arg = (uint8_t)arg };
}

/* A child that has not come to its lock yet, one without a directory, or a
 * finish script leaves no trace but its record: nobody could know of it. */
static bool
leaves_a_trace(const char *name)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if ((w.proc[i].life == P_FORKED || (w.proc[i].kind == K_AUX &&
		    w.proc[i].life != P_NONE)) &&
		    strcmp(w_conf[w.proc[i].svc].name, name) == 0)
			return false;
	return true;
}

static bool
has_stray(int svc)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life == P_RUNS && w.proc[i].kind == K_STRAY &&
		    w.proc[i].svc == svc)
			return true;
	return false;
}

static void
may_process(struct step *list, int i)
{
	const struct w_proc *p = &w.proc[i];

	if (p->life == P_FORKED)
		may(list, M_LOCK, i);
	if (p->life == P_LOCKED && (p->byte || p->eof))
		may(list, M_GATE, i);
	if (p->life != P_RUNS || p->kind == K_FOREIGN)
		return;
	if (p->kind == K_MAIN && !p->said &&
	    w_conf[p->svc].ready == READY_NOTIFY)
		may(list, M_READY, i);
	if (p->svc == W_LOGGER && !p->term)
		return;		/* it is no actor of this play */
	may(list, M_EXIT, i);
	if (p->svc == W_LOGGER || p->kind == K_STRAY)
		return;
	may(list, M_FAIL, i);
	if (p->kind == K_MAIN && !has_stray(p->svc))
		may(list, M_STRAY, i);
}

static void
may_supervisor(struct step *list)
{
	struct os_event ev[16];
	int64_t next = tree_deadline(&sim_tree);
	int i, k, n = w_events(ev, (int)nitems(ev));

	for (i = 0; i < n; i++)
		may(list, M_EVENT, i);
	if (next >= 0)
		may(list, M_TICK, 0);
	if (!sim_tree.stopping && (next < 0 || next > w.now_ms))
		may(list, M_LATE, 0);
	for (i = 0; i < W_LOGGER; i++)
		for (k = M_START; w.there[i] && k <= M_DISABLE; k++)
			may(list, (enum move_kind)k, i);
	may(list, M_RELOAD, 0);
	may(list, M_RELOAD, 1);
	if (!sim_tree.stopping)
		may(list, M_SHUTDOWN, 0);
	if (!sim_is_crowded())
		may(list, M_CRASH, 0);
}

/* A child that nobody lets on its way piles up with every SIGKILL. */
bool
sim_is_crowded(void)
{
	int i, n = 0;

	for (i = 0; i < W_PROCS; i++)
		n += w.proc[i].life != P_NONE;
	return n > W_PROCS / 2;
}

/* Somebody could do something at once. */
static bool
is_busy(void)
{
	struct os_event ev[1];
	int i;

	for (i = 0; i < W_PROCS; i++) {
		const struct w_proc *p = &w.proc[i];

		if (p->life == P_FORKED || (p->life == P_LOCKED &&
		    (p->byte || p->eof)) || (p->life == P_RUNS &&
		    p->kind != K_FOREIGN && (p->term || p->kind == K_AUX ||
		    (p->kind == K_MAIN && (w_conf[p->svc].type ==
		    TYPE_ONESHOT || (!p->said && w_conf[p->svc].ready ==
		    READY_NOTIFY))))))
			return true;
	}
	return w_events(ev, 1) > 0;
}

bool
sim_disturbs(struct step s)
{
	const struct w_proc *p = &w.proc[s.arg < W_PROCS ? s.arg : 0];

	if (s.kind == M_EXIT)	/* of its own accord */
		return !p->term && p->kind == K_MAIN &&
		    w_conf[p->svc].type == TYPE_DAEMON;
	if (s.kind == M_TICK)	/* somebody is too slow */
		return is_busy();
	return s.crash > 0 || s.kind == M_LATE || s.kind == M_CRASH ||
	    (s.kind >= M_START && s.kind <= M_SHUTDOWN) ||
	    s.kind == M_LOSE || s.kind == M_REUSE || s.kind == M_FAIL ||
	    s.kind == M_KILLED || s.kind == M_STRAY;
}

static bool
may_logger(struct step *list)
{
	int i;

	for (i = 0; i < W_PROCS && n_steps == 0; i++)
		if (w.proc[i].svc == W_LOGGER)
			may_process(list, i);
	n_steps = n_steps > 0 ? 1 : 0;
	return n_steps > 0;
}

int
sim_steps(struct step *list)
{
	int i;

	n_steps = 0;
	if (sim_logger_is_prompt && may_logger(list))
		return n_steps;
	if (w.living)
		may_supervisor(list);
	else
		may(list, M_BOOT, 0);
	for (i = 0; !w.living && i < W_SLOTS; i++)
		if (newest(i)->seq != 0 &&
		    strcmp(newest(i)->name, "svlog") != 0) {
			if (leaves_a_trace(newest(i)->name) &&
			    w.there[newest(i)->name[0] == 'b'])
				may(list, M_LOSE, i);
			if (newest(i)->pid > 0 &&
			    w_find(newest(i)->pid) == NULL)
				may(list, M_REUSE, i);
		}
	for (i = 0; i < W_PROCS; i++)
		may_process(list, i);
	return n_steps;
}

/* --- snapshots */

#define TREE_FROM	offsetof(struct tree, sv)

size_t
sim_save(char *dst)
{
	char *at = dst;

	memcpy(at, &w, sizeof w);
	at += sizeof w;
	memcpy(at, &sim, sizeof sim);
	at += sizeof sim;
	if (!w.living)
		return (size_t)(at - dst);
	memcpy(at, (char *)&sim_tree + TREE_FROM, sizeof sim_tree - TREE_FROM);
	at += sizeof sim_tree - TREE_FROM;
	return (size_t)(at - dst) + w_memory_save(at);
}

void
sim_load(const char *src)
{
	memcpy(&w, src, sizeof w);
	src += sizeof w;
	memcpy(&sim, src, sizeof sim);
	src += sizeof sim;
	w_fault[0] = '\0';
	w_memory_reset();
	if (!w.living)
		return;
	memcpy((char *)&sim_tree + TREE_FROM, src, sizeof sim_tree - TREE_FROM);
	w_memory_load(src + sizeof sim_tree - TREE_FROM);
}

/* --- words */

void
sim_name(struct step s, char *text, size_t cap)
{
	char who[80] = "";

	if (s.kind >= M_LOCK)
		(void)snprintf(who, sizeof who, "pid %d ", w.proc[s.arg].pid);
	else if (s.kind >= M_START && s.kind <= M_DISABLE)
		(void)snprintf(who, sizeof who, "%s: ",
		    w_conf[s.arg].name);
	else if (s.kind == M_LOSE || s.kind == M_REUSE)
		(void)snprintf(who, sizeof who, "%s: ", newest(s.arg)->name);
	(void)snprintf(text, cap, "%s%s", who, names[s.kind]);
	if (s.kind == M_EVENT || s.kind == M_RELOAD)
		(void)snprintf(text, cap, "%s %d", names[s.kind], s.arg);
	if (s.crash > 0)
		(void)snprintf(text + strlen(text), cap - strlen(text),
		    ", killed at deed %d", s.crash);
}

void
sim_show(char *text, size_t cap)
{
	static const char *const lives[] = { "", "forked", "locked", "runs",
	    "zombie" };
	static const char *const kinds[] = { "", "aux ", "stray ",
	    "stranger " };
	struct buf b;
	int i;

	buf_init(&b, text, cap - 1);
	for (i = 0; i < W_SLOTS; i++) {
		const struct record *r = newest(i);

		if (r->seq != 0)
			buf_printf(&b, "%s %s/%s pid %d%s  ", r->name,
			    state_name((enum state)r->state),
			    want_name((enum want)r->want), r->pid,
			    r->again ? " again" : "");
	}
	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE)
			buf_printf(&b, "[%s%d %s%s] ", kinds[w.proc[i].kind],
			    w.proc[i].pid, lives[w.proc[i].life],
			    w.proc[i].term ? " term" : "");
	buf_printf(&b, "%s%s", w.living ? "" : "no supervisor",
	    w.living && sim_tree.stopping ? "shutdown" : "");
	text[b.len] = '\0';
}
