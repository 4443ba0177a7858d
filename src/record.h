/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_RECORD_H
#define SVTREE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "os.h"

/*
 * run/table: what must be known of every service when its supervisor is
 * gone. A header of one page with the boot id, then per service two copies of
 * a plain record, each with a sequence number and a CRC-32; a write goes over
 * the older copy, in place, so a torn one leaves the other. No fsync: SIGKILL
 * cannot take back the page cache, and after a power cut the boot id differs.
 */
#define RECORD_SIZE	512
#define TABLE_VERSION	1

enum health { HEALTH_UNKNOWN, HEALTH_OK, HEALTH_BUSY, HEALTH_DEGRADED,
	HEALTH_FAILING, HEALTH_COUNT };
enum again { AGAIN_NO, AGAIN_ASKED, AGAIN_COUNTED /* as a failure */ };
#define TIMER_HELD (-1)	/* a person stopped the timer */
enum rung { RUNG_NONE, RUNG_COMMAND, RUNG_SIGNAL, RUNG_TERM, RUNG_KILL,
	RUNG_FINISH /* the leader is gone: pid, start are of finish */ };
enum exit_kind { EXIT_NONE, EXIT_CODE, EXIT_SIGNAL, EXIT_UNKNOWN };

struct record {
	uint32_t crc;		/* of all that follows */
	uint32_t seq;		/* the higher copy counts; 0: empty */
	char	 name[CONF_NAME_MAX + 8];
	uint8_t	 want;		/* enum want */
	uint8_t	 state;		/* enum state */
	uint8_t	 health;	/* enum health */
	uint8_t	 exit_kind;	/* enum exit_kind of the last run */
	uint8_t	 exit_value;	/* code or signal number */
	uint8_t	 exit_oom;	/* killed by the kernel: out of memory */
	uint8_t	 adopted;	/* not our child */
	uint8_t	 again;		/* enum again: start when it has stopped */
	uint8_t	 rung;		/* of the stop ladder, enum rung */
	uint8_t	 disabled;	/* copy of the state directory's word */
	uint8_t	 clean;		/* last run ended as asked or with success */
	uint8_t	 hold;		/* finish said: do not start again */
	int32_t	 pid;		/* leader and process group, 0 none */
	uint64_t start;		/* its start time (os_proc_start) */
	int64_t	 since_us;	/* wall time of the last change of state */
	int64_t	 started_ms;	/* os_now_ms of the last start */
	int64_t	 ready_ms;	/* of the last EV_READY, 0 not ready */
	int64_t	 deadline_ms;	/* of the state; 0 none */
	int64_t	 exit_us;	/* wall time of the last exit */
	int64_t	 window_ms;	/* start of the window of restart-limit */
	int64_t	 due_ms;	/* next run of a timer, os_awake_ms;
				 * 0 not known, or TIMER_HELD */
	uint32_t restarts;	/* by policy, since the tree knows it */
	uint16_t window_count;	/* restarts in the window */
	uint16_t streak;	/* quick failures in a row */
	uint16_t trips;		/* times tripped in a row */
	uint8_t	 exit_core;	/* it left a core file */
	uint8_t	 paused;	/* by a person */
	uint32_t ill_s;		/* wall time since when it is not well, 0 it
				 * is; known only with an on-recovery */
	char	 reason[120];	/* why the state is what it is */
	char	 text[80];	/* what the program says of itself */
	char	 health_text[72]; /* the evidence for health */
};

_Static_assert(sizeof(struct record) <= RECORD_SIZE, "record too large");

struct table {
	int	 fd;
	int	 slots;
	bool	 fresh;		/* nothing of this boot was in it */
};

/* Opens or makes the file with room for slots services. A file of another
 * boot, version or size is emptied. 0, or -1 with errno. */
int table_open(struct table *t, const char *path, int slots);
/* The same for reading only, by who is not the supervisor. */
int table_open_read(struct table *t, const char *path);
int table_grow(struct table *t, int slots);
void table_close(struct table *t);
/* The newer valid copy. 0, or -1 when the slot is empty or spoilt. */
int table_read(const struct table *t, int slot, struct record *r);
/* Raises r->seq and writes. 0, or -1 with errno: the old copy stands. */
int table_write(const struct table *t, int slot, struct record *r);
/* Empties the slot. */
int table_clear(const struct table *t, int slot);

const char *health_name(enum health health);
/* -1 when there is no such word. */
int health_parse(const char *word);
uint32_t crc32_of(const void *bytes, size_t n);

#endif
