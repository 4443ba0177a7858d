/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_LATENCY_H
#define SVTREE_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How long the answers to probes took, by service: health-monitor writes it,
 * whoever shows it reads it, and the supervisor is not woken for a figure.
 * One file below the run directory, a record of fixed size for each service:
 * counts by kind of probe, and a day by quarters of an hour. Of one record
 * a reader may see the new half with the old one: figures, one probe apart.
 */
#define LATENCY_FILE	"health-monitor/latency"	/* in $SVTREE_RUN */
#define LATENCY_MAX	256		/* services */
#define LATENCY_SLOTS	96
#define LATENCY_SLOT_S	900
#define LATENCY_BOUNDS	12

enum latency_probe { LATENCY_LIVE, LATENCY_READY, LATENCY_SCHED,
	LATENCY_ALSO, LATENCY_DEEP, LATENCY_PROBES };

struct latency_count {
	uint64_t bucket[LATENCY_BOUNDS + 1];	/* the last: all above */
	uint64_t sum_ms;	/* of those answered */
	uint64_t failed;	/* no answer in time, or none at all */
};

struct latency_slot {		/* of the first probe of a round */
	uint32_t number;	/* wall time / LATENCY_SLOT_S */
	uint32_t n, failed;
	uint32_t max_ms;
	uint64_t sum_ms;
};

struct latency_day {		/* the slots of a day together */
	uint64_t n, failed, sum_ms;
	uint32_t max_ms;
};

struct latency {
	char	 name[64];
	struct latency_count count[LATENCY_PROBES];
	struct latency_slot slot[LATENCY_SLOTS];
	uint32_t last_ms;
	uint32_t last_ok;	/* the last one was answered */
};

/* Upper bounds of the buckets, in milliseconds. */
extern const int latency_bound_ms[LATENCY_BOUNDS];

/* latency.c, pure */
void latency_add(struct latency *l, enum latency_probe probe, int elapsed_ms,
    bool answered);
/* The same into the day: of each round its first probe. */
void latency_add_day(struct latency *l, int elapsed_ms, bool answered,
    int64_t wall_s);
uint64_t latency_answered(const struct latency_count *c);
const char *latency_probe_name(enum latency_probe probe);
/* The slot that holds that quarter of an hour, NULL when nothing is known. */
const struct latency_slot *latency_slot_of(const struct latency *l,
    int64_t number);
/* The day up to and with that quarter of an hour. */
struct latency_day latency_sum_day(const struct latency *l, int64_t newest);

/* latency_file.c */
/* The writer: takes over what the file tells. */
void latency_open(void);
/* The record of a service, made when there is room; NULL otherwise. */
struct latency *latency_take(const char *name);
/* Writes it to the file. */
void latency_save(const struct latency *l);
/* The readers, with the run directory, NULL for $SVTREE_RUN. All records anew
 * into dst: how many, 0 when there is none. */
int latency_read(const char *run, struct latency *dst, int max);
/* The one of a service; false when there is none. */
bool latency_find(const char *run, const char *name, struct latency *dst);

#endif
