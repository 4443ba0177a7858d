/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_H
#define SVTREE_SVCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "client.h"
#include "svctl_verbs.h"

/*
 * svctl's exit status: those of systemctl and LSB where they have one. The
 * table in svctl_args.c puts them into --help.
 */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,		/* also: some wanted service is not up */
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_NO_SERVICE = 4,
	CTL_NOT_PERMITTED = 5,
	CTL_NO_SUPERVISOR = 7,
	CTL_TIMEOUT = 8,
	CTL_NO_HOST = 9
};

struct ctl {			/* what the command line says */
	const char *argv0;	/* as svctl was called */
	const char *run;	/* NULL: by environment and user */
	const char *opt[OPT_COUNT]; /* value, "" for a flag, NULL: not given */
	bool	 json, quiet, no_wait, follow;
	int64_t	 timeout_ms;
	long	 lines;		/* -n, -1 not given */
	int64_t	 since_us;	/* --since as wall time, 0 not given */
	const struct verb *verb;
	char	**name;		/* words behind the verb */
	char	**own;		/* the same when they are to be freed */
	int	 n;
	struct client client;
	struct client events;
};

/* One service as the status tells it; "" where the JSON says null. */
struct sv {
	char	name[64], type[16], want[8], state[16], since[32], user[64];
	char	health[16], health_text[256], text[256], reason[256];
	char	next_at[32], description[256], needs[512], probe[16];
	char	exit_kind[16], exit_signal[32], exit_at[32];
	char	host[64];	/* "" this one */
	int64_t	pid, restarts, exit_code, port;
	bool	enabled, adopted, oom, stale, exit_good, paused;
};

struct sup {			/* the supervisor; pid 0: there is none */
	int64_t	pid;
	char	version[32], since[32], loaded[32];
	char	services[1024], log[1024], path[1024];
};

struct list {
	struct sv *sv;
	int	 n, room;
	struct sup sup;
};

/* svctl_args.c: the command line, and the words about it */

/* Fills c. -1: go on, else the exit status. */
int ctl_args(struct ctl *c, int argc, char **argv);
void ctl_help(FILE *out, const struct verb *only);

/* svctl_exec.c: the verb done by svctl-more; returns when it is missing */
int ctl_exec_more(const struct ctl *c, char **argv);

/* svctl_call.c: the connection, and services as structs */

/* Connects once; 0, or the exit status, told to standard error. */
int ctl_connect(struct ctl *c);
/* Tells an error reply, with a suggestion; returns the exit status. */
int ctl_tell(struct ctl *c, const struct client_reply *r, const char *err,
    const char *name);
typedef void ctl_each(void *arg, const struct sv *sv);
/* Status of names (n = 0: all); raw prints its JSON. 0 or the exit status. */
int ctl_fetch(struct ctl *c, char **name, int n, ctl_each *each, void *arg,
    bool raw);
/* The same into a list, with what is said of the supervisor. */
int ctl_list(struct ctl *c, char **name, int n, struct list *l, bool raw);
void ctl_list_free(struct list *l);
/* One call; the reply's exit status, an error told. */
int ctl_call(struct ctl *c, const char *method, const char *name,
    const char *more_key, const char *more_value, struct client_reply *r);
/* Replaces patterns among the names by the services that match. */
int ctl_expand(struct ctl *c);
/* name, n of allocated words, take the place of what was said. */
void ctl_own_names(struct ctl *c, char **name, int n);
void ctl_free_names(struct ctl *c);

/* svctl_json.c: from JSON */
void ctl_walk(const struct json *j, int services, ctl_each *each, void *arg);
void ctl_take_sup(const struct json *j, int o, struct sup *sup);
void ctl_gather(void *list, const struct sv *sv);	/* a ctl_each */

/* svctl_near.c */
/* The word of a list nearest to a mistyped one, or NULL. */
const char *ctl_nearest(const char *word, const char *const *list);

/* svctl_why.c: what a status means; nothing is asked or printed */
bool ctl_is(const char *a, const char *b);
bool ctl_is_up(const struct sv *sv);
bool ctl_is_healthy(const struct sv *sv);
const struct sv *ctl_find(const struct list *l, const char *name);
/* The first need of sv that is not met, or NULL; *gone: no such service. */
const struct sv *ctl_unmet(const struct list *l, const struct sv *sv,
    bool *healthy);
/* What comes next by itself, and when ("started again in 3 s"), or "". */
void ctl_next_step(char *dst, size_t cap, const struct sv *sv);
/* Why, or what it says of itself: the one line that matters most. */
void ctl_story(char *dst, size_t cap, const struct sv *sv);
/* The command that a person would type next, or "". */
void ctl_advice(char *dst, size_t cap, const struct sv *sv);

/* svctl_nested.c: trees within trees */
/* Names TREE/NAME: takes the tree's run directory, and NAME of them. 0, or
 * the exit status, told. */
int ctl_enter(struct ctl *c);
/* Puts what is in inner trees behind the services that they are. */
void ctl_nest(const struct ctl *c, struct list *l);

/* svctl_judge.c: has a verb had its effect? */
enum outcome { GOES_ON, DONE, FAILED };
typedef enum outcome ctl_judge(const struct sv *before, const struct sv *now);
ctl_judge *ctl_judge_of(const char *verb, const struct ctl *c);
/* What is waited for, in words: "up", "down". */
const char *ctl_judge_word(const char *verb, const struct ctl *c);

/* svctl_wait.c */

/* Subscribes, so that nothing after this is missed. */
int ctl_subscribe(struct ctl *c);
/* Waits for the next event until the deadline. 1 one came, 0 time is up,
 * else -exit status. */
int ctl_next_event(struct ctl *c, int64_t deadline_ms);
int64_t ctl_now_ms(void);
void ctl_pause(int ms);

/* svctl_progress.c: what is waited for, on standard error */
struct progress {
	bool	 terminal, drawn;
	int64_t	 began_ms;
	char	 told[512];
};
void ctl_progress_begin(struct progress *p, const struct ctl *c);
void ctl_progress_show(struct progress *p, const char *words);
void ctl_progress_clear(struct progress *p);
/* How long to wait before the next show. */
int64_t ctl_progress_ms(const struct progress *p);

/* svctl_time.c: times and durations for people */
int64_t ctl_time_us(const char *rfc3339);	/* -1: none */
void ctl_duration(char *dst, size_t cap, int64_t ms);
void ctl_ago(char *dst, size_t cap, const char *rfc3339);
void ctl_local(char *dst, size_t cap, const char *rfc3339);
/* "10m", "14:30", "2026-11-24 14:30", RFC 3339, today, yesterday. */
int ctl_since(const char *text, int64_t now_us, int64_t *us);

/* svctl_term.c: what the terminal can do, and text that cannot harm it */
enum hue { HUE_NONE, HUE_GOOD, HUE_WARN, HUE_BAD, HUE_BUSY, HUE_DIM,
	HUE_BOLD, HUE_COUNT };
struct term {
	bool	 terminal, colour, utf8;
	int	 width;		/* 0: no limit */
};
struct term ctl_term(FILE *out);
const char *ctl_hue(const struct term *t, enum hue hue);
/* Prints at most width columns of text (0: all), control characters
 * replaced, cut text with an ellipsis; returns the columns. */
int ctl_put(FILE *out, const struct term *t, const char *text, int width);
int ctl_columns(const struct term *t, const char *text);
void ctl_pad(FILE *out, int n);
/* How a state looks; health counts where the state is UP. */
enum hue ctl_look(const struct term *t, const struct sv *sv,
    const char **glyph);

/* svctl_offline.c: the records of a supervisor that is gone */
int ctl_offline(struct ctl *c, struct list *l);

/* svctl_table.c, svctl_page.c */
void ctl_print_table(const struct list *l, bool tree);
void ctl_print_page(struct ctl *c, const struct list *all,
    const struct sv *sv);

/* svctl_clues.c */
/* Who holds its port, "" when it has none; true when that is another. */
bool ctl_port_words(char *dst, size_t cap, const struct sv *sv);
/* What went wrong last, "" when nothing did. */
void ctl_last_incident(struct ctl *c, const char *name, char *dst,
    size_t cap);

/* svctl_latency.c */
/* How long its answers to probes take, "" when it is not probed. */
void ctl_latency_words(char *dst, size_t cap, const char *run,
    const char *name);

/* svctl_logs.c, svctl_lines.c, svctl_follow.c */
/* LOG/NAME by the run directory's link. */
int ctl_log_dir(struct ctl *c, const char *name, char *dst, size_t cap);
typedef void ctl_line(void *arg, const char *line, size_t len);
/* Every line of the rotated files and of current, oldest first. */
int ctl_each_line(const char *dir, ctl_line *each, void *arg);
/* The last n lines. */
int ctl_last_lines(const char *dir, long n, ctl_line *each, void *arg);
/* svctl_back.c: is_it is shown lines that hold the mark, from the last bytes
 * of the log backwards in blocks, in order within a block, until it has taken
 * one of a block. The last that it took is the last of the log. */
typedef bool ctl_is_it(void *arg, const char *line, size_t len);
bool ctl_last_with(const char *dir, off_t most, const char *mark,
    ctl_is_it *is_it, void *arg);
/* To standard error, indented: what failed said this. */
void ctl_print_tail(struct ctl *c, const char *name, int lines);

/* svctl_preflight.c: what is in a service's way that no definition shows, and
 * what mends it. */
struct conf_service;
typedef void ctl_preflight_each(void *arg, const char *service,
    const char *what, const char *mend);
void ctl_preflight(const struct conf_service *sv, ctl_preflight_each *each,
    void *arg);
/* The names of those whose [health] nobody reads, by commas; false when
 * there are none. */
struct conf_tree;
bool ctl_unprobed(char *dst, size_t cap, const struct conf_tree *t);
#define UNPROBED_MEND "add the service health-monitor, whose example is in " \
	"share/svtree/services"
/* The value of a variable of its [environment], NULL when it has none. */
const char *ctl_env_of(const struct conf_service *sv, const char *name);

/* svctl_check.c */
/* The directory of the running tree's definitions, else where svtree would
 * look. From now on programs are looked for where the running tree does. */
void ctl_services_dir(struct ctl *c, char *dst, size_t cap);

/* the verbs */
int svctl_status(struct ctl *c);
int svctl_is_active(struct ctl *c);
int svctl_explain(struct ctl *c);
int svctl_act(struct ctl *c);
int svctl_signal(struct ctl *c);
int svctl_reload(struct ctl *c);
int svctl_shutdown(struct ctl *c);
int svctl_keys(struct ctl *c);
int svctl_upgrade(struct ctl *c);
int svctl_detach(struct ctl *c);
int svctl_wait(struct ctl *c);
int svctl_logs(struct ctl *c);
int svctl_events(struct ctl *c);
int svctl_history(struct ctl *c);
int svctl_incidents(struct ctl *c);
int svctl_top(struct ctl *c);
int svctl_check(struct ctl *c);
int svctl_doctor(struct ctl *c);
int svctl_init(struct ctl *c);
int svctl_install(struct ctl *c);
int svctl_uninstall(struct ctl *c);
int svctl_adopt_compose(struct ctl *c);
int svctl_remote(struct ctl *c);
int svctl_recover(struct ctl *c);
int svctl_complete(struct ctl *c);

#endif
