/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_TREE_H
#define SVTREE_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "machine.h"
#include "record.h"

/*
 * The running tree: what the supervisor's modules share. Allocated when the
 * directories are read; nothing else allocates.
 */
#define TREE_HELD_MAX	16
#define TREE_PATH_MAX	80	/* of the run directory: sun_path is short */
#define START_STEP_LEN	160	/* what a child says that cannot start */

/* What an os_event's tag names: a kind and a number. */
enum tag_kind { TAG_GATE, TAG_NOTIFY, TAG_READY, TAG_PROC, TAG_LISTEN,
	TAG_CONN, TAG_RUN, TAG_ALARM };
#define TAG(kind, n)	((uint32_t)(kind) << 24 | (uint32_t)(n))
#define TAG_KIND(tag)	((enum tag_kind)((tag) >> 24))
#define TAG_NUMBER(tag)	((int)((tag) & 0xffffff))

/* Definitions read together; given back when no service refers to them. */
struct definitions {
	struct conf_tree conf;
	int	 users;
};

enum aux { AUX_NONE, AUX_CHECK, AUX_FINISH, AUX_STOP, AUX_CONTROL_T,
	AUX_CONTROL_D };

struct hook_state {
	unsigned count;		/* told since it ran last */
	int64_t	 next_ms;	/* not to be run before */
	int64_t	 at_us;		/* of the last that was told */
	char	 reason[CONF_INCIDENT_MAX + 1];
};

struct service {
	const struct conf_service *conf;
	struct definitions *defs;	/* NULL: conf is the tree's own */
	struct tree *tree;
	struct record rec;	/* what outlives the supervisor */
	int	 slot;		/* of the table, and the number in tags */
	int	 log_fd;	/* its FIFO, held so that no line is lost, -1 */
	bool	 log_ended;	/* held for reading alone: logger_end */
	bool	 log_is_pipe;	/* it is the FIFO of its own logger */
	int	 gate_fd;	/* to the child until it has exec'ed, -1 */
	int	 notify_fd;	/* NOTIFY_SOCKET, -1 */
	int	 ready_fd;	/* ready = fd:N, -1 */
	int	 sock[CONF_SOCKETS_MAX]; /* listening, as in [sockets], -1 */
	int	 watch;		/* os_watch_proc of an adopted process, -1 */
	bool	 is_child;	/* of this process */
	enum aux aux;		/* a script that runs beside the states */
	pid_t	 aux_pid;	/* 0: none runs */
	int64_t	 aux_ms;	/* deadline, or when check runs next; 0 none */
	struct hook_state *hook; /* HOOK_COUNT of them, NULL: it has none */
	pid_t	 script_pid;	/* control script of a signal, 0 none */
	int64_t	 script_ms;	/* its deadline */
	int	 script_signo;	/* sent when it fails, */
	int32_t	 script_for;	/* to this process */
	uint8_t	 script_next[7]; /* signals whose scripts come after it, */
	uint8_t	 script_queued;	/* so many */
	int64_t	 dog_ms;	/* when the watchdog bites, 0 never */
	int64_t	 kill_ms;	/* FINISHING: when stragglers get SIGKILL */
	int	 patience_ms;	/* FINISHING: until the next look */
	pid_t	 holder;	/* UNKNOWN: who held the lock last time */
	int	 start_errno;	/* of a child that could not exec; -1 none */
	bool	 lost_lock;	/* that child found the lock taken */
	bool	 ends_by_oom;	/* the run has told of its end: the kernel's */
	bool	 presume;	/* ready when its start-timeout comes */
	bool	 removed;	/* no directory any more: stop and forget */
	bool	 stale;		/* defined anew since it was started */
	bool	 is_held;	/* shutdown: somebody alive depends on it */
};

struct tree {
	char	 services[1024], run[TREE_PATH_MAX], state[1024], log[1024];
	struct service **sv;	/* sorted by name */
	int	 n;
	struct service **slot;	/* by number of the slot, NULL free */
	int	 free_from;	/* no slot below it is free */
	struct table table;
	uid_t	 owner;
	gid_t	 readers;	/* group that may see */
	char	 group[64];	/* its name as given, or "" */
	int64_t	 since_us, loaded_us;	/* started, definitions read */
	uint64_t seq;		/* events so far */
	int	 log_fd;	/* FIFO of the supervisor's own events, -1 */
	int	 held_fd[TREE_HELD_MAX]; /* FIFOs of services that are no more
				   and not read to their end; 0: free */
	int	 lock_fd;	/* run/lock, held for life */
	int	 listen_fd;	/* control socket, -1 */
	int	 watch_fd;	/* of the run directory, -1 */
	int64_t	 mend_ms;	/* when to try to mend it again, 0 never */
	int	 alarm_fd;	/* of the timers, -1 */
	int64_t	 alarm_ms;	/* what it is set to, os_awake_ms, -1 */
	pid_t	 preflight_pid;	/* of an upgrade, 0 none */
	bool	 resumed;	/* by an upgrade: children are still ours */
	bool	 detached;	/* gone without a shutdown */
	bool	 needs_changed;	/* WAITING services want a look */
	bool	 stopping;	/* shutdown: absorbing */
	bool	 log_woken, log_over; /* the logger in a shutdown */
	int64_t	 stop_ms;	/* its global deadline */
	bool	 done;
};

/* tree.c: reading, adopting, reloading */
int tree_open(struct tree *t, char *err);
/* Reads the directories; errors go to report. 0, or -1 and nothing changed.
 * The callbacks get the names of what is new, gone, different; nothing changes
 * either when that is all that is asked for. */
struct tree_change {
	void	(*told)(void *arg, const char *kind, const char *name);
	void	*arg;
	bool	 only_tell;
};
int tree_load(struct tree *t, conf_report *report, void *arg,
    const struct tree_change *change);
void tree_adopt(struct tree *t);
struct service *tree_find(const struct tree *t, const char *name);
/* The same in a list that is in order of names. */
struct service *tree_find_in(struct service *const *list, int n,
    const char *name);
/* The one whose leader it is, or a script beside it. */
struct service *tree_find_child(const struct tree *t, pid_t pid);
/* A shutdown has come to it; the logger's turn is the last. */
bool tree_is_over(const struct service *sv);
/* The service to which any process of its session belongs, or NULL. */
struct service *tree_find_session(const struct tree *t, pid_t pid);
/* Forgets services that are gone from the disk and down. */
void tree_sweep(struct tree *t);

/* tree_loop.c: time and events */
int64_t tree_deadline(const struct tree *t);
void tree_dispatch(struct tree *t, const struct os_event *ev);
/* What is due by now: deadlines, needs, the order of shutdown. */
void tree_step(struct tree *t);
void tree_shutdown(struct tree *t);

/* tree_timer.c: runs the timers that are due, sets the alarm */
void tree_timers(struct tree *t);

/* hook.c */
/* To be called with each new definition: its hooks need some memory. */
void hook_prepare(struct service *sv);
/* The state or the health is another one: is it well again? */
void hook_look(struct service *sv);
void hook_tell(struct service *sv, enum hook hook, const char *reason);
/* One of them has ended; false: it is none of them. */
bool hook_exited(struct tree *t, pid_t pid, int status);
int64_t hook_deadline(const struct tree *t);
void hook_step(struct tree *t, int64_t now);

/* tree_mend.c */
/* The logger looks for new FIFOs. */
void tree_tell_logger(struct tree *t);
/* What somebody took from the run directory is made anew, and told. */
void tree_mend(struct tree *t);

/* needs.c */
/* NULL when all needs are met, else the first that is not (*healthy set when
 * it is up but not healthy). */
const struct conf_need *needs_unmet(const struct service *sv);
/* Why that one keeps sv waiting: "waits for ollama, which ...". */
void needs_words(const struct service *sv, const struct conf_need *need,
    char *dst, size_t cap);
/* Sets is_held of those that a living service needs or is ordered after. */
void needs_mark_held(struct tree *t);

/* intent.c: enable and disable, kept in the state directory */
int intent_set(const struct tree *t, const char *name, bool enabled);
bool intent_is_disabled(const struct tree *t, const char *name);

#endif
