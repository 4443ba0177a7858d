/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OS_H
#define SVTREE_OS_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The only door to what differs between systems: os_linux.c and os_darwin.c
 * implement it, os_posix.c what both share. All descriptors made here are
 * close-on-exec. Functions return 0 or -1 with errno unless they say more.
 */

/* Clocks. os_now_ms stands still while the machine sleeps (CLOCK_MONOTONIC
 * on Linux, CLOCK_UPTIME_RAW on macOS) and runs on across processes of one
 * boot; os_awake_ms counts sleep too; os_wall_us is UTC since 1970. */
int64_t os_now_ms(void);
int64_t os_awake_ms(void);
int64_t os_wall_us(void);

/* An alarm on the clock of os_awake_ms: a descriptor that becomes readable
 * when its time has come, on waking if it came in sleep. -1: no time; to set
 * it anew takes back what has rung. */
int os_alarm(void);
int os_alarm_at(int fd, int64_t awake_ms);

/* Identity of this boot: /proc/sys/kernel/random/boot_id, kern.bootsessionuuid.
 * NUL-terminated, at most OS_BOOT_LEN bytes with the NUL. */
#define OS_BOOT_LEN	40
int os_boot_id(char id[OS_BOOT_LEN]);

/* Start time of a process in the system's own unit, never 0; with pid it
 * names one process of this boot. -1 ESRCH when there is none; a zombie
 * counts as gone. */
int os_proc_start(pid_t pid, uint64_t *start);
/* The same of a child made just now, when os_start_clock was before: mostly
 * without looking it up. */
int64_t os_start_clock(void);
int os_child_start(pid_t pid, int64_t before, uint64_t *start);
/* What ps shows of a process: short command, owner. -1 when gone. */
int os_proc_name(pid_t pid, char *name, size_t cap, uid_t *uid);
/* A living (no zombie) member of the process group, 0 when there is none;
 * skip is not looked at. Slow: reads the process table. */
pid_t os_group_member(pid_t pgid, pid_t skip);
/* Memory (bytes resident) and CPU time (ms) of all members of the group. */
int os_group_usage(pid_t pgid, uint64_t *rss, uint64_t *cpu_ms);
/* A living process that holds a flock on the open descriptor's file, best
 * the one that took it; 0 when there is none or it cannot be found. */
pid_t os_lock_holder(int fd, const char *path);
/* The process listening on a TCP port of any local address, 0 when nobody
 * listens, -1 when somebody does who cannot be named. uid may be NULL. */
pid_t os_port_holder(uint16_t port, uid_t *uid);

/* The wait. One object for the life of the process. */
enum os_what { OS_READ = 1, OS_WRITE = 2, OS_EXIT = 4, OS_SIGNAL = 8 };

struct os_event {
	uint32_t	 tag;		/* as given to the watch call */
	unsigned	 what;		/* enum os_what, or-ed */
	int		 signo;		/* OS_SIGNAL */
	int		 status;	/* OS_EXIT: wait status, -1 unknown */
};

int os_open(void);
/* These signals arrive as OS_SIGNAL events from now on; list ends with 0. */
int os_signals(const int *list);
/* what = 0 ends the watch; do it before close. */
int os_watch(int fd, unsigned what, uint32_t tag);
/* Watches a process that is not our child until it exits (OS_EXIT, once).
 * Returns a handle >= 0 for os_unwatch_proc, or -1; ESRCH when it is gone or
 * its start time is another. */
int os_watch_proc(pid_t pid, uint64_t start, uint32_t tag);
void os_unwatch_proc(int handle);
/* Names that vanish from a directory, or the directory itself, make an OS_READ
 * event; what they are is to be looked up. Returns a descriptor (close ends the
 * watch), or -1. */
int os_watch_dir(const char *path, uint32_t tag);
/* Waits until the deadline (os_now_ms, -1 for none) for up to n events;
 * returns their number. Interrupted waits return 0. */
int os_wait(int64_t deadline_ms, struct os_event *ev, int n);

/* Signals a process only while its start time is the given one: ESRCH if
 * not. handle is that of os_watch_proc, or -1. */
int os_kill(pid_t pid, uint64_t start, int handle, int signo);
/* A copy of another process's descriptor, while its start time is the given
 * one; ENOSYS where the system has no such thing. */
int os_fd_of(pid_t pid, uint64_t start, int fd);
/* Child side of a start: signal dispositions and mask as at login. */
void os_reset_signals(void);
/* Close-on-exec pipe and stream socket pair. */
int os_pipe(int fd[2]);
int os_socketpair(int fd[2]);
/* A socket of this type (SOCK_STREAM, SOCK_DGRAM) that is bound to a path,
 * whatever was there; non-blocking. The descriptor, or -1 with errno. */
int os_bind_path(const char *path, int type, mode_t mode);
int os_cloexec(int fd);
/* Gives a FIFO room for a burst, where the system can. */
void os_widen(int fifo);
int os_nonblock(int fd);
/* Ends the watch of a descriptor, closes it, makes it -1; -1 stays. */
void os_drop(int *fd);
/* Closes every descriptor from lowest on. */
void os_close_from(int lowest);
/* For a child that runs its program next: fd is moved down to that number and
 * all above it closed, so that its table of descriptors, which on Linux is as
 * large as its parent's and stays so for life, becomes small. What fd is now:
 * where it is not worth it or cannot be done, as before. */
int os_trim_files(int fd, int to);
/* A number that nobody can foresee; for jitter, no secret. */
uint32_t os_dice(void);
/* As many open files as the system lets us have; and the limit of before,
 * for a child of ours that runs another program. */
void os_files_raise(void);
void os_files_restore(void);
/* Children of dead children become ours, where the system knows that. */
void os_subreaper(void);
/* send(2) on a socket whose peer may have hung up: EPIPE, never SIGPIPE. */
ssize_t os_send(int fd, const void *bytes, size_t n);
/* How likely the kernel kills this process when memory is short, -1000 to
 * 1000; where the system knows no such thing, nothing happens. */
int os_oom_score(int adj);
/* The user and group behind a connected UNIX socket, and its process (0
 * where the system does not say). */
int os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid);
/* Is the user behind it a member of the group, by any of his groups? */
bool os_peer_in_group(int fd, gid_t gid);
/* Blocks for size bytes of the file are set aside; ENOSPC now, not later. */
int os_preallocate(int fd, off_t size);

#endif
