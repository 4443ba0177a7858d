/* SPDX-License-Identifier: ISC */
/*
 * When two states count as the same: pids and clocks by what they mean (whose
 * it is, which deadline comes first, healthy or not), counters up to where
 * the policy stops telling them apart.
 */
#include "../fake/libc.h"

#include "explore.h"
#include "policy.h"

static uint64_t hash;

static void
put(uint64_t v)
{
	int i;

	for (i = 0; i < 8; i++) {
		hash ^= v >> 8 * i & 255;
		hash *= 0x100000001b3;
	}
}

static int64_t deadlines[16];
static int ndeadlines;

static void
note_deadline(int64_t at)
{
	if (at > w.now_ms && ndeadlines < 16)
		deadlines[ndeadlines++] = at;
}

/* 0 none, 1 due, else how many others come before it. */
static uint64_t
rank(int64_t at)
{
	uint64_t n = 2;
	int i, k;

	if (at == 0)
		return 0;
	if (at <= w.now_ms)
		return 1;
	for (i = 0; i < ndeadlines; i++) {
		for (k = 0; k < i && deadlines[k] != deadlines[i]; k++)
			continue;
		n += k == i && deadlines[i] < at;
	}
	return n;
}

/* Processes by age, so that their places do not matter. */
static int order[W_PROCS], n_procs;

static void
sort_procs(void)
{
	int i, k;

	n_procs = 0;
	for (i = 0; i < W_PROCS; i++) {
		if (w.proc[i].life == P_NONE)
			continue;
		for (k = n_procs++; k > 0 && w.proc[order[k - 1]].start >
		    w.proc[i].start; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

static uint64_t
whose(int pid, uint64_t start)
{
	int i;

	if (pid == 0)
		return 0;
	for (i = 0; i < n_procs; i++)
		if (w.proc[order[i]].pid == pid)
			return 2 + 2 * (uint64_t)i +
			    (w.proc[order[i]].start == start);
	return 1;
}

static uint64_t
up_to(uint64_t n, uint64_t max)
{
	return n < max ? n : max;
}

static void
put_record(const struct record *r)
{
	put(r->seq != 0);
	if (r->seq == 0)
		return;
	put(r->name[0]);
	put(r->want);
	put(r->state);
	put(r->again | r->disabled << 1 | r->clean << 2 | r->hold << 3 |
	    r->adopted << 4);
	put(up_to(r->rung, RUNG_FINISH));
	put(r->exit_kind);
	put(r->exit_value != 0);
	put(whose(r->pid, r->start));
	put(up_to(r->streak, 2));
	put(up_to(r->trips, 2));
	put(up_to(r->window_count, 3));
	put(r->window_ms != 0);
	put(rank(r->deadline_ms));
	put(r->started_ms != 0);
	put(r->ready_ms == 0 ? 0 : w.now_ms - r->ready_ms >=
	    POLICY_HEALTHY_MS ? 2 : 1);
	put(r->due_ms != 0);
}

static const struct record *
newest(int slot)
{
	const struct record *c = w.copy[slot];

	return c[1].seq > c[0].seq ? &c[1] : &c[0];
}

static void
put_service(const struct service *sv)
{
	put_record(&sv->rec);
	put((uint64_t)sv->is_child | (uint64_t)(sv->watch >= 0) << 1 |
	    (uint64_t)sv->removed << 2 | (uint64_t)(sv->gate_fd >= 0) << 3 |
	    (uint64_t)(sv->notify_fd >= 0) << 4 |
	    (uint64_t)(sv->start_errno != 0) << 5);
	put(sv->rec.state == ST_UNKNOWN ? whose(sv->holder, 0) : 0);
	put(sv->aux);
	put(whose(sv->aux_pid, 0) / 2);
	put(rank(sv->aux_ms));
	put(rank(sv->kill_ms));
	put(sv->slot >= 0 && newest(sv->slot)->seq == sv->rec.seq);
}

static void
put_world(void)
{
	int i;

	put(w.living | w.chld << 1 | sim.ended << 2 |
	    (w.living && sim_tree.stopping) << 3);
	put(sim.disturbed);
	for (i = 0; i < W_SERVICES; i++) {
		put(w.disabled[i] | w.there[i] << 1 | w.finished[i] << 2);
		put(sim.wish[i] | sim.lost[i] << 7);
	}
	for (i = 0; i < n_procs; i++) {
		const struct w_proc *p = &w.proc[order[i]];

		put(p->life | p->kind << 4 | p->svc << 8 | p->ours << 12 |
		    p->lock << 13 | p->byte << 14 | p->eof << 15 |
		    p->term << 16 | p->said << 17);
		put(whose(p->pgid, 0));
		put(p->life == P_ZOMBIE ? (uint64_t)p->status : 0);
	}
	for (i = 0; i < W_FDS; i++) {
		const struct w_fd *f = &w.fd[i];

		if (f->kind == W_GATE || f->kind == W_NOTIFY ||
		    f->kind == W_PROC)
			put(f->kind | f->svc << 4 | f->watched << 8 |
			    f->msg << 9 | f->hung_up << 10 | f->dead << 11 |
			    (f->word != 0) << 12);
	}
}

uint64_t
sim_key(void)
{
	int i;

	hash = 0xcbf29ce484222325;
	ndeadlines = 0;
	sort_procs();
	for (i = 0; w.living && i < sim_tree.n; i++) {
		note_deadline(sim_tree.sv[i]->rec.deadline_ms);
		note_deadline(sim_tree.sv[i]->aux_ms);
		note_deadline(sim_tree.sv[i]->kill_ms);
	}
	for (i = 0; !w.living && i < W_SLOTS; i++)
		note_deadline(newest(i)->deadline_ms);
	put_world();
	for (i = 0; w.living && i < sim_tree.n; i++)
		put_service(sim_tree.sv[i]);
	for (i = 0; i < W_SLOTS; i++)
		put_record(newest(i));
	return hash;
}
