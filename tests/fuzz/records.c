/* SPDX-License-Identifier: ISC */
/*
 * A file of records with anything in it. The first byte says which records
 * get a valid checksum, so that the inside is reached; some processes are
 * there that the records may name by accident. The supervisor must start,
 * signal no stranger and come to rest.
 */
#include "libc.h"

#include <stddef.h>

#include "fuzz.h"
#include "play.h"

static void
lay_out(const uint8_t *bytes, size_t n, unsigned valid)
{
	struct record *r;
	size_t part;
	int i;

	for (i = 0; i < W_SLOTS * 2; i++) {
		r = &w.copy[i / 2][i % 2];
		part = n < sizeof *r ? n : sizeof *r;
		memcpy(r, bytes, part);
		bytes += part;
		n -= part;
		if (!(valid >> i & 1))
			continue;
		r->seq = r->seq / 2 * 2 + (uint32_t)(i % 2);
		if (r->seq == 0)
			r->seq = 2;
		if (r->name[0] < 'c')
			(void)strcpy(r->name, r->name[0] & 1 ? "a" : "b");
		r->crc = crc32_of((const char *)r + sizeof r->crc,
		    sizeof *r - sizeof r->crc);
	}
}

static void
people(void)
{
	struct w_proc *p;

	(void)w_reuse(100);	/* a stranger */
	p = w_new_proc();	/* pid 100: an a of an earlier supervisor */
	if (p == NULL)
		return;
	p->pid = p->pgid = 101;
	p->start = 7;
	p->life = P_RUNS;
	p->kind = K_MAIN;
	p->svc = 0;
	p->lock = 1;
	w.next_pid = 110;
	w.next_start = 20;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	if (n < 2)
		return 0;
	play_set_up();
	sim_begin();
	(void)sim_do((struct step){ .kind = M_BOOT });	/* makes the file */
	w_init();
	memset(&sim, 0, sizeof sim);
	people();
	(void)sim_do((struct step){ .kind = M_BOOT });
	(void)sim_do((struct step){ .kind = M_CRASH });
	w_fault[0] = '\0';
	memset(w.proc, 0, sizeof w.proc);
	people();
	lay_out(bytes + 1, n - 1, bytes[0]);
	memset(sim.wish, 0, sizeof sim.wish);
	check_fair(false);
	PROMISE(strncmp(w_fault, "signal", 6) != 0 &&
	    strncmp(w_fault, "no start", 8) != 0 &&
	    strncmp(w_fault, "free of", 7) != 0 &&
	    strncmp(w_fault, "a starts while", 14) != 0 &&
	    strncmp(w_fault, "kill(", 5) != 0, "%s", w_fault);
	return 0;
}
