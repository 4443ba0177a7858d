/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SERVICE_H
#define SVTREE_SERVICE_H

#include "tree.h"

/*
 * One service in action: events go through the machine, and what the machine
 * orders is done here. service_apply is the only writer of the state.
 */

/* Puts an event through the machine; why becomes the reason when the state
 * changes (NULL keeps the old one). */
void service_event(struct service *sv, enum event event, const char *why);
void service_apply(struct service *sv, struct move m, const char *why);

/* Wishes of a person or a program. why is for the history. */
void service_want(struct service *sv, enum want want, const char *why);
/* again: AGAIN_ASKED, or AGAIN_COUNTED when it is a failure that its budget of
 * restarts pays for. */
void service_restart(struct service *sv, const char *why, enum again again);
/* Down because the tree ends; what is wanted stays as it is. */
void service_rest(struct service *sv);
/* SIGKILL to all of it at once; nothing waits for its end. */
void service_kill(struct service *sv);
/* Writes the record; trouble is logged, the old copy stands. */
int service_save(struct service *sv);
void service_set_reason(struct service *sv, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* "ended with code 3", "was killed by SIGSEGV": dst. */
const char *service_exit_words(int status, char *dst, size_t cap);
/* The leader is gone; status as of waitpid, -1 unknown. */
void service_exited(struct service *sv, int status);
/* The deadline of the state or of the script beside it has come. */
void service_timer(struct service *sv, int64_t now);
int64_t service_deadline(const struct service *sv);

/* service_stop.c */
void service_stop(struct service *sv);
void service_escalate(struct service *sv);
void service_clear(struct service *sv);
/* Looks whether the group is empty by now; goes on to finish if so. */
void service_look(struct service *sv);
void service_aux_exited(struct service *sv, int status);
void service_kill_aux(const struct service *sv);

/* service_signal.c */
int service_signal(struct service *sv, int signo);
/* The same as a person's word: a control script comes first. 0, or -1 with a
 * reason in err. */
int service_send(struct service *sv, int signo, char *err, size_t cap);
/* Is there an executable control/LETTER? Its path either way. */
bool service_script(const struct service *sv, char letter, char *path,
    size_t cap);
void service_script_exited(struct service *sv, int status);
void service_script_timer(struct service *sv, int64_t now);

/* service_ready.c */
void service_ready_open(struct service *sv);
void service_ready_close(struct service *sv);
/* Becomes UP when it is STARTING. */
void service_ready(struct service *sv, const char *why);
void service_ready_readable(struct service *sv);
void service_check(struct service *sv);
/* Adopted before it was ready; and its start-timeout has come. */
void service_presume(struct service *sv);
void service_start_late(struct service *sv);

/* service_notify.c */
void service_notified(struct service *sv);
bool service_may_notify(const struct conf_service *conf);
/* It is alive: the watchdog's time begins anew. */
void service_feed_watchdog(struct service *sv);
/* It is not: a restart that counts as a failure. */
void service_watchdog(struct service *sv, const char *why);
/* service_logger.c */
/* run/NAME/FILE; run/NAME for "". */
void service_path(const struct service *sv, const char *file, char *dst,
    size_t cap);
/* That of the FIFO that it writes into. */
void service_fifo(const struct service *sv, char *dst, size_t cap);
/* The service of which this is the logger, or NULL. */
struct service *logger_main(const struct tree *t,
    const struct service *logger);
/* Instead of a signal: its input ends. False: there is more to come. */
bool logger_end(struct service *logger);
/* Before its start: its input is there. */
void logger_begin(struct service *logger);
/* One that lost its logger writes for that of the tree. */
void logger_settle(struct service *sv);
/* Takes the FIFO of one that is no more, and holds it until all of it has
 * been read; -1: only lets go of what has been. */
void logger_hold(struct tree *t, int fd);

/* service_sockets.c */
/* Opens what the definition wants and is not held yet, closes the rest. 0, or
 * -1 with errno and what was tried in err. */
int service_sockets_open(struct service *sv, char *err, size_t cap);
void service_sockets_close(struct service *sv);
/* Gets those of an adopted process back, where the system can do that. */
void service_sockets_adopt(struct service *sv);

/* spawn.c */
/* Forks, records, opens the gate. 0, or -1 with the reason set. */
int spawn_service(struct service *sv);
/* What the child says through the gate; closes it. true when it exec'ed. */
bool spawn_gate(struct service *sv);
/* Runs finish, check or a program of the stop; deadline_ms from now. 0, or -1
 * with errno. */
int spawn_aux(struct service *sv, enum aux aux, int64_t deadline_ms);
/* Runs a program beside the service, watched by the caller. Its pid or -1. */
pid_t spawn_script(const struct service *sv, char *const arg[]);
int spawn_make_dir(struct service *sv);

/* spawn_seek.c */
/* Is run/NAME/lock free? */
bool spawn_lock_is_free(const struct service *sv);
void spawn_seek(struct service *sv);
/* With kill = leader what a leader that is gone left behind may stay, lock and
 * all: who comes next gets a lock of its own. Nothing while the leader of who
 * holds it is there, whatever the record says. */
bool spawn_let_be(const struct service *sv);

/* event.c: what happens, told to the log, standard error, subscribers */
void event_state(struct service *sv);
void event_tell(struct service *sv, const char *kind, const char *reason);
void event_tree(struct tree *t, const char *kind, const char *reason);
int event_open(struct tree *t);

#endif
