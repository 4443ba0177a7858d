/* SPDX-License-Identifier: ISC */
/*
 * The fake world's processes: how they are born, stopped, die, and what that
 * means for locks, gates and the supervisor. Nothing here is the project's.
 */
#include "libc.h"

#include <errno.h>
#include <stdarg.h>

#include "world.h"

struct world w;
struct conf_service w_conf[W_SERVICES];
char w_fault[160];
jmp_buf w_crash;
int w_crash_at, w_deeds;

void
w_blame(const char *fmt, ...)
{
	va_list ap;

	if (w_fault[0] != '\0')
		return;
	va_start(ap, fmt);
	(void)vsnprintf(w_fault, sizeof w_fault, fmt, ap);
	va_end(ap);
}

void
w_deed(void)
{
	if (++w_deeds == w_crash_at)
		longjmp(w_crash, 1);
}

void
w_init(void)
{
	int i;

	memset(&w, 0, sizeof w);
	w.now_ms = 100000000;
	w.next_pid = 100;
	w.next_start = 1;
	for (i = 0; i < W_SERVICES; i++)
		w.there[i] = true;
	w_fault[0] = '\0';
	w_memory_reset();
}

struct w_proc *
w_new_proc(void)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life == P_NONE) {
			w.proc[i] = (struct w_proc){ .pid = w.next_pid,
			    .pgid = w.next_pid, .start = w.next_start++ };
			w.next_pid++;
			return &w.proc[i];
		}
	w_blame("more processes than the fake world holds");
	return NULL;
}

uint8_t
w_with_finish(void)
{
	uint8_t i;

	for (i = 0; i < W_SERVICES && !w_conf[i].has_finish; i++)
		continue;
	return i;
}

struct w_proc *
w_find(int pid)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && w.proc[i].pid == pid)
			return &w.proc[i];
	return NULL;
}

static bool
is_held(int svc)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && w.proc[i].lock &&
		    w.proc[i].svc == svc)
			return true;
	return false;
}

static void
hang_up(const struct w_proc *p)
{
	int i;

	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_GATE && w.fd[i].proc == p - w.proc)
			w.fd[i].hung_up = 1;
}

void
w_die(struct w_proc *p, int status)
{
	int i;

	hang_up(p);
	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_PROC && w.fd[i].proc == p - w.proc) {
			w.fd[i].dead = 1;
			w.fd[i].status = status;
			w.fd[i].proc = -1;
		}
	p->lock = 0;
	p->status = status;
	p->life = P_NONE;
	if (p->ours) {		/* else init reaps it at once */
		p->life = P_ZOMBIE;
		w.chld = true;
	}
}

static void
tell_gate(const struct w_proc *p, int word)
{
	int i;

	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_GATE && w.fd[i].proc == p - w.proc)
			w.fd[i].word = word;
}

void
w_take_lock(struct w_proc *p)
{
	if (is_held(p->svc)) {
		tell_gate(p, EAGAIN);
		w_die(p, 111 << 8);
		return;
	}
	p->lock = 1;
	p->life = P_LOCKED;
}

void
w_pass_gate(struct w_proc *p)
{
	int i;

	if (!p->byte) {
		w_die(p, 111 << 8);
		return;
	}
	for (i = 0; i < W_PROCS; i++)
		if (&w.proc[i] != p && w.proc[i].life == P_RUNS &&
		    w.proc[i].svc == p->svc && (w.proc[i].kind != K_STRAY ||
		    w_conf[p->svc].kill != KILL_LEADER))
			w_blame("%s%s starts while pid %d of it still runs",
			    p->kind == K_AUX ? "finish of " : "",
			    w_conf[p->svc].name, w.proc[i].pid);
	if (p->kind == K_AUX && w.finished[p->svc])
		w_blame("finish of %s runs again", w_conf[p->svc].name);
	w.finished[p->svc] = p->kind == K_AUX;
	p->life = P_RUNS;
	hang_up(p);		/* close-on-exec */
}

void
w_say_ready(struct w_proc *p)
{
	int i;

	p->said = 1;
	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_NOTIFY && w.fd[i].svc == p->svc)
			w.fd[i].msg = 1;
}

void
w_leave_stray(struct w_proc *p, int status)
{
	struct w_proc *s = w_new_proc();

	if (s == NULL)
		return;
	s->life = P_RUNS;
	s->kind = K_STRAY;
	s->svc = p->svc;
	s->ours = p->ours;
	s->lock = p->lock;
	s->pgid = p->pgid;
	w_die(p, status);
}

bool
w_reuse(int pid)
{
	struct w_proc *p;
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && (w.proc[i].pid == pid ||
		    w.proc[i].pgid == pid))
			return false;
	if ((p = w_new_proc()) == NULL)
		return false;
	p->life = P_RUNS;
	p->kind = K_FOREIGN;
	p->svc = W_NOBODY;
	p->pid = p->pgid = pid;
	return true;
}

void
w_supervisor_gone(void)
{
	int i;

	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_GATE && w.fd[i].proc >= 0)
			w.proc[w.fd[i].proc].eof = 1;
	memset(w.fd, 0, sizeof w.fd);
	for (i = 0; i < W_PROCS; i++) {
		w.proc[i].ours = 0;
		if (w.proc[i].life == P_ZOMBIE)
			w.proc[i].life = P_NONE;
	}
	w.chld = false;
	w.living = false;
	w_memory_reset();
}

int
w_instances(int svc)
{
	int i, n = 0;

	for (i = 0; i < W_PROCS; i++)
		n += w.proc[i].life == P_RUNS && w.proc[i].kind == K_MAIN &&
		    w.proc[i].svc == svc;
	return n;
}

int
w_events(struct os_event *ev, int max)
{
	int i, n = 0;

	if (w.chld && n < max)
		ev[n++] = (struct os_event){ .what = OS_SIGNAL,
		    .signo = SIGCHLD };
	for (i = 0; i < W_FDS && n < max; i++) {
		const struct w_fd *f = &w.fd[i];

		if (!f->watched)
			continue;
		if (f->kind == W_PROC && f->dead)
			ev[n++] = (struct os_event){ .what = OS_EXIT,
			    .tag = f->tag, .status = f->status };
		else if ((f->kind == W_GATE && (f->hung_up || f->word)) ||
		    (f->kind == W_NOTIFY && f->msg))
			ev[n++] = (struct os_event){ .what = OS_READ,
			    .tag = f->tag, .status = -1 };
	}
	return n;
}

void
w_take(const struct os_event *ev)
{
	int i;

	if (ev->what & OS_SIGNAL)
		w.chld = false;
	for (i = 0; (ev->what & OS_EXIT) && i < W_FDS; i++)
		if (w.fd[i].kind == W_PROC && w.fd[i].tag == ev->tag)
			w.fd[i].watched = 0;
}
