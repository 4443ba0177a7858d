/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_VIEW_H
#define SVTREE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "conf.h"

/*
 * The tree as the listener sees it: the status as the supervisor wrote it,
 * kept for a moment, and the calls that are made for clients. A supervisor
 * that does not answer is waited for once, briefly, and then left alone for a
 * second, so that it holds up nobody here.
 */
struct seen {			/* one service; "" where the status says null */
	char	 name[CONF_NAME_MAX + 1];
	char	 want[8], state[16], health[16];
	char	 health_text[96], reason[160];
	char	 exit_kind[16];
	bool	 oneshot, enabled, probed;
	int64_t	 pid, restarts, exit_code, since_us;
	int64_t	 next_us;	/* its next step, 0 none is known */
};

typedef void view_each(void *arg, const struct seen *sv);

/* Has a status that is at most max_age_ms old. 0, or -1 with a reason in err
 * (CLIENT_ERR_LEN): there is no supervisor, or it does not answer. */
int view_refresh(int max_age_ms, char *err);
/* The object {"supervisor":...,"services":[...]}; NULL before the first. */
const char *view_text(size_t *len);
/* A string of the supervisor, "" when it is not known. */
void view_supervisor(const char *member, char *dst, size_t cap);
/* Its pid, 0 when it is not known. */
int64_t view_supervisor_pid(void);
void view_services(view_each *each, void *arg);
bool view_find(const char *name, struct seen *sv);
/* A call with {"name":name}. 0, or -1 with a reason in err. *started is what
 * Once says; NULL for other methods. */
int view_call(const char *method, const char *name, const char *reason,
    bool *started, char *err);

/* The status of some services, asked for now. The reply is valid until the
 * next call of view_named or view_call. 0 or -1. */
int view_named(char (*name)[CONF_NAME_MAX + 1], int n,
    struct client_reply *r);

/* view_log.c: the last cap bytes of DIR/NAME/current. */
size_t view_log(const char *dir, const char *name, char *dst, size_t cap);

/* view_offline.c: the status out of the records that a dead supervisor left,
 * by svctl. 0, or -1 with a reason in err. The text is valid until the next
 * call. */
int view_offline(const char **text, size_t *len, char *err);

/* view_fitness.c: is a service fit for use? Pure. */
enum fitness { FIT_OK, FIT_BUSY, FIT_DEGRADED, FIT_STARTING, FIT_FAILING,
	FIT_DOWN, FIT_STOPPED };
enum fitness view_fitness(const struct seen *sv);
const char *view_fitness_name(enum fitness f);
/* In how many seconds it is worth asking again; 0: not before somebody acts.
 * now_us: wall clock. */
int view_retry_s(const struct seen *sv, int64_t now_us);
bool view_is_usable(enum fitness f);
/* Wanted up: it counts for the health of the whole. */
bool view_counts(const struct seen *sv);

#endif
