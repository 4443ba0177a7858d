/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_H
#define SVTREE_SVCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"

/* svctl's exit status: those of systemctl and LSB where they have one. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,		/* also: some wanted service is not up */
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_NO_SERVICE = 4,
	CTL_NOT_PERMITTED = 5,
	CTL_NO_SUPERVISOR = 7,
	CTL_TIMEOUT = 8
};

struct ctl {			/* what the command line says */
	const char *run;	/* NULL: by environment and user */
	bool	 json, no_wait, follow, all;
	bool	 dry_run;
	bool	 up, down, healthy;	/* what `wait` waits for */
	int64_t	 timeout_ms;
	long	 lines;		/* -n, -1 not given */
	const struct verb *verb;
	char	**name;		/* words behind the verb */
	int	 n;
	struct client client;
	struct client events;
};

struct verb {
	const char *name, *args, *help;
	int	 min, max;	/* words; max -1: any number */
	int	(*run)(struct ctl *c);
	const char *method;	/* of org.svtree, or NULL */
};

extern const struct verb svctl_verbs[];	/* ends with a NULL name */

/* One service as the status tells it; "" where the JSON says null. */
struct sv {
	char	name[64], type[16], want[8], state[16], since[32], user[64];
	char	health[16], health_text[256], text[256], reason[256];
	char	next_at[32], description[256], needs[512];
	char	exit_kind[16], exit_signal[32], exit_at[32];
	int64_t	pid, restarts, exit_code;
	bool	enabled, adopted, oom;
};

/* svctl_call.c: the connection, and services as structs */

/* Connects once; 0, or the exit status, told to standard error. */
int ctl_connect(struct ctl *c);
/* Tells an error reply, with a suggestion; returns the exit status. */
int ctl_tell(struct ctl *c, const struct client_reply *r, const char *err,
    const char *name);
typedef void ctl_each(void *arg, const struct sv *sv);
/* Status of names (n = 0: all). raw may be NULL. 0 or the exit status. */
int ctl_fetch(struct ctl *c, char **name, int n, ctl_each *each, void *arg,
    bool raw);
void ctl_walk(const struct json *j, int services, ctl_each *each, void *arg);
/* The word of a list nearest to a mistyped one, or NULL. */
const char *ctl_nearest(const char *word, const char *const *list);
bool ctl_is_up(const struct sv *sv);

/* svctl_wait.c */

/* Subscribes, so that nothing after this is missed. */
int ctl_subscribe(struct ctl *c);
/* Waits for the next event until the deadline. 1 one came, 0 time is up,
 * else -exit status. */
int ctl_next_event(struct ctl *c, int64_t deadline_ms);
int64_t ctl_now_ms(void);

/* svctl_text.c: words for people */
void ctl_ago(char *dst, size_t cap, const char *rfc3339);
void ctl_print_table(const struct sv *sv, int n);
void ctl_print_full(const struct sv *sv);
void ctl_print_tail(struct ctl *c, const char *name, int lines);

/* svctl_logs.c */
/* LOG/NAME by the run directory's link. */
int ctl_log_dir(struct ctl *c, const char *name, char *dst, size_t cap);
typedef void ctl_line(void *arg, const char *line, size_t len);
/* Every line of the rotated files and of current, oldest first. */
int ctl_each_line(const char *dir, ctl_line *each, void *arg);

/* the verbs */
int svctl_status(struct ctl *c);
int svctl_offline(struct ctl *c);
int svctl_act(struct ctl *c);
int svctl_signal(struct ctl *c);
int svctl_reload(struct ctl *c);
int svctl_shutdown(struct ctl *c);
int svctl_upgrade(struct ctl *c);
int svctl_detach(struct ctl *c);
int svctl_wait(struct ctl *c);
int svctl_logs(struct ctl *c);
int svctl_events(struct ctl *c);
int svctl_history(struct ctl *c);
int svctl_check(struct ctl *c);
int svctl_recover(struct ctl *c);
int svctl_complete(const char *shell);
int svctl_keys(void);

#endif
