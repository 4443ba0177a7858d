/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_BOX_H
#define SVTREE_BOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "docker.h"

/*
 * A container's deaths: what the events of one mean, without a clock, a
 * socket or a file. Times are the engine's (ns since 1970, 0 never); the
 * deadline of a verdict is on our own clock.
 */
#define BOX_WINDOW_MS	3000	/* for what belongs to one death */
#define BOX_PERIOD_S	600	/* deaths older than this are forgotten */
#define BOX_LOOP	5	/* so many quick deaths are a loop */
#define BOX_QUICK_S	5	/* a death so soon after the start is quick */

enum death {
	DEATH_OTHER,		/* an exit that nobody need explain */
	DEATH_DELIBERATE,	/* docker stop, docker kill */
	DEATH_OOM,		/* the kernel, for memory */
	DEATH_CHILD,		/* a process in it, for memory; then it ended */
	DEATH_UNKNOWN		/* SIGKILL from nobody we know */
};

/* What is known when the window closes. */
struct evidence {
	int	 exit_code;
	bool	 oom_event;
	bool	 kill_event;	/* of SIGKILL or the container's stop signal */
	bool	 oom_flag;	/* State.OOMKilled */
};

enum death death_judge(const struct evidence *ev);

#define BOX_DEATHS	16

struct box {			/* one container */
	char	 name[128];
	char	 id[80];	/* of the last event */
	char	 die_id[80];	/* of the last death */
	int64_t	 seen_ns;	/* last event */
	int64_t	 start_ns, oom_ns, kill_ns, die_ns;
	int	 exit_code;
	int	 age_s;		/* of the run that died; -1 unknown */
	bool	 pending;	/* a death without a verdict yet */
	bool	 alone;		/* an OOM kill, and no death so far */
	bool	 asked;		/* this run was asked to end: docker stop */
	bool	 hard;		/* it was not asked, but killed: docker kill */
	int64_t	 deadline_ms;	/* of what is pending or alone */
	struct {
		int64_t	 at_ns;
		int	 age_s;		/* of the run that ended; -1 unknown */
		bool	 oom, quick;
	} death[BOX_DEATHS];	/* a ring; next is the oldest */
	unsigned next;
	int64_t	 loop_told_ns;
};

/* Does the event tell of another run than the pending death? Then that one
 * wants its verdict first. */
bool box_is_overdue(const struct box *b, const struct docker_event *e);
void box_event(struct box *b, const struct docker_event *e, int64_t now_ms);
/* The verdict on the pending death; it is counted from here on. */
enum death box_judge(struct box *b, bool oom_flag);
/* What has come so far belongs to another death than the one to be judged. */
void box_forget(struct box *b);
/* The container has outlived the OOM kill of a process in it. */
void box_outlived(struct box *b);
/* OOM kills within the period, the last one included. */
int box_ooms(const struct box *b);

struct loop {
	int	 deaths, min_s, max_s, ooms;
};

/* Has the last death completed a loop? Once in a period. */
bool box_loop(struct box *b, struct loop *l);

/* The words of it: what happened, and what to do about it ("" nothing). The
 * limit is in bytes; 0 there is none, -1 unknown. */
void death_words(enum death d, const struct box *b, int64_t limit,
    char *what, size_t whatcap, char *advice, size_t cap);
void loop_words(const struct loop *l, const struct box *b, char *dst,
    size_t cap);
/* "64 MiB", "2.1 GiB" */
void size_words(int64_t bytes, char *dst, size_t cap);

#endif
