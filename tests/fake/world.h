/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_FAKE_WORLD_H
#define SVTREE_FAKE_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "os.h"
#include "record.h"

/*
 * A world that the supervisor takes for real: processes, locks, descriptors,
 * a clock that stands until it is moved, the file of records. It is plain
 * data, so a copy of it is a snapshot. Programs do nothing by themselves: a
 * test steps each process, so it can delay every one as long as it likes.
 */
#define W_SERVICES	3	/* a, b and svlog */
#define W_LOGGER	2
#define W_NOBODY	W_SERVICES
#define W_PROCS		12
#define W_FDS		28
#define W_SLOTS		4
#define W_FD_BASE	500

enum w_kind { K_MAIN, K_AUX, K_STRAY, K_FOREIGN };
enum w_life { P_NONE, P_FORKED, P_LOCKED, P_RUNS, P_ZOMBIE };

struct w_proc {
	uint8_t	 life;		/* enum w_life */
	uint8_t	 kind;		/* enum w_kind */
	uint8_t	 svc;
	uint8_t	 ours;		/* a child of the living supervisor */
	uint8_t	 lock;		/* holds the lock of svc */
	uint8_t	 byte;		/* the gate was opened */
	uint8_t	 eof;		/* the gate was closed instead */
	uint8_t	 term;		/* was told to stop */
	uint8_t	 said;		/* has said READY, heard or not */
	int	 pid, pgid;
	uint32_t start;
	int	 status;
};

enum w_fd_kind { W_NONE, W_SINK, W_TABLE, W_LOCK, W_GATE, W_GATE_CHILD,
	W_NOTIFY, W_PROC, W_CONN };

struct w_fd {
	uint8_t	 kind;
	uint8_t	 svc;
	uint8_t	 watched;
	uint8_t	 msg;		/* a READY lies in it */
	uint8_t	 hung_up;	/* the other end is gone */
	uint8_t	 dead;		/* W_PROC: the process is gone */
	int8_t	 proc;		/* W_GATE: index; -1 not forked yet. Its
				 * svc is W_NOBODY for that of finish */
	int	 word;		/* W_GATE: errno told by the child, 0 none */
	int	 status;	/* W_PROC */
	uint32_t tag, start;
};

struct world {
	bool	 living;	/* there is a supervisor */
	bool	 chld;		/* SIGCHLD is pending */
	bool	 disabled[W_SERVICES];
	bool	 there[W_SERVICES]; /* its directory */
	bool	 finished[W_SERVICES]; /* since the last start */
	uint8_t	 last;		/* whose directory was made last */
	int	 next_pid;
	uint32_t next_start;
	int64_t	 now_ms;
	struct w_proc proc[W_PROCS];
	struct w_fd fd[W_FDS];
	off_t	 size;		/* of the file of records */
	char	 header[64];
	struct record copy[W_SLOTS][2];
};

extern struct world w;
/* What the world knows of the services; the logger is the tree's own. */
extern struct conf_service w_conf[W_SERVICES];
/* Set by whoever breaks a rule of the world, e.g. signals a stranger. */
extern char w_fault[160];
void w_blame(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What the client of a W_CONN says, in pieces of at most chunk bytes, and
 * where the answers go; not a part of the world. */
struct w_client {
	const char *says;
	size_t	 left, chunk, nheard;
	char	 heard[1 << 18];
};
extern struct w_client w_client;

/* The supervisor is killed at its k-th deed from now on (0: never): longjmp
 * to w_crash. w_deeds counts them. */
extern jmp_buf w_crash;
extern int w_crash_at, w_deeds;
void w_deed(void);

void w_init(void);
/* What the kernel does when the supervisor is gone, however it went. */
void w_supervisor_gone(void);

/* The next deed of a process. */
void w_die(struct w_proc *p, int status);
void w_take_lock(struct w_proc *p);	/* P_FORKED */
void w_pass_gate(struct w_proc *p);	/* P_LOCKED, byte or eof */
void w_say_ready(struct w_proc *p);
/* The leader ends and leaves one of its group behind. */
void w_leave_stray(struct w_proc *p, int status);
/* The pid of somebody dead goes to a stranger. */
bool w_reuse(int pid);
struct w_proc *w_find(int pid);
/* The service that has a finish script: there is one at most. */
uint8_t w_with_finish(void);
struct w_proc *w_new_proc(void);
int w_fd_open(enum w_fd_kind kind, int svc);
struct w_fd *w_fd_at(int fd);
/* The events that os_wait could give now; returns their number. */
int w_events(struct os_event *ev, int max);
/* Takes the event out of the world. */
void w_take(const struct os_event *ev);
/* Programs of the service that run, strays not counted. */
int w_instances(int svc);

/* The supervisor's memory (alloc.c): a snapshot of it goes to dst. */
void w_memory_reset(void);
size_t w_memory_save(char *dst);
void w_memory_load(const char *src);
#define W_MEMORY_MAX	(16 * 1024 + 24 * 256 + 64)

#endif
