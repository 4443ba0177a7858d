/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_EXPLORE_H
#define SVTREE_EXPLORE_H

#include "../fake/world.h"
#include "service.h"

/*
 * One step of the supervisor and its world, for the exploration and for the
 * fuzzer of event sequences. The supervisor is the real one, linked to the
 * fake world; a step is a deed of a process, of the kernel, of a person, or
 * one turn of the supervisor's loop, which can be killed at every deed.
 */
enum move_kind { M_TICK, M_LATE, M_EVENT, M_START, M_STOP, M_RESTART, M_ONCE,
	M_ENABLE, M_DISABLE, M_RELOAD, M_SHUTDOWN, M_CRASH, M_BOOT, M_LOSE,
	M_REUSE, M_LOCK, M_GATE, M_READY, M_EXIT, M_FAIL, M_KILLED, M_STRAY,
	M_KINDS };

struct step {
	uint8_t	kind;		/* enum move_kind */
	uint8_t	arg;		/* service, process, slot or event */
	uint8_t	crash;		/* the deed before which it is killed, 0 no */
};

/* What the test itself knows: the last word of a person. */
enum wish { WISH_ANY, WISH_UP, WISH_DOWN };

struct sim {
	uint8_t	wish[W_SERVICES];
	bool	ended;		/* the supervisor ended by itself */
	uint8_t	disturbed;	/* so many times, where that is counted */
	bool	lost[W_SERVICES]; /* its record, and none was written since of
				 * a process that leads it */
};

extern struct sim sim;
extern struct tree sim_tree;

#define STEPS_MAX	96

void sim_begin(void);		/* the world before the first supervisor */
int sim_steps(struct step *list);	/* what can happen now */
/* Not the way of the world: a person's word, a death, a lost record, a reused
 * pid, a deadline that comes though somebody had only to go on. */
bool sim_disturbs(struct step s);
/* The logger's own steps come at once, so that no play is about them. */
extern bool sim_logger_is_prompt;
bool sim_is_crowded(void);	/* enough processes: no more crashes */
/* Does it; the number of deeds of the supervisor, or -1 when it was killed. */
int sim_do(struct step s);
void sim_name(struct step s, char *text, size_t cap);
void sim_show(char *text, size_t cap);

/* A snapshot, at most SIM_MAX bytes; returns its size. */
#define SIM_MAX	(sizeof(struct world) + sizeof(struct sim) + \
	sizeof(struct tree) + W_MEMORY_MAX)
size_t sim_save(char *dst);
void sim_load(const char *src);
/* Two states with the same number behave alike. */
uint64_t sim_key(void);

/* check.c: the promises. w_fault says what is broken. */
void check_state(void);
/* Lets everybody behave well and sees whether what is wanted comes true;
 * show prints the way. */
void check_fair(bool show);

#endif
