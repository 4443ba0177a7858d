/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HEALTH_H
#define SVTREE_HEALTH_H

#include <sys/types.h>

#include "conf.h"
#include "health_body.h"
#include "health_plan.h"
#include "health_verdict.h"

/*
 * What the files of health-monitor share: a target is a service with a
 * [health] section, with what is asked of it and what is known of it.
 */
#define URL_MAX		320
#define EVIDENCE_MAX	512	/* bytes of an answer that are kept */

struct target;

/* One question that is under way. */
struct ask {
	struct target	*t;
	enum layer	 layer;
	int		 id;		/* of the request, 0 none */
	char		 url[URL_MAX];
};

/* A connect or a command that is under way. */
struct try {
	int	 fd;			/* -1 none */
	pid_t	 pid;			/* of a command, 0 none */
	int64_t	 deadline_ms;
	bool	 killed;
	char	 out[EVIDENCE_MAX];	/* the end of what it printed */
	size_t	 len;
};

/* How far its log is read. */
struct logged {
	int	 fd;			/* -1 none */
	off_t	 at;
	int64_t	 since_us;		/* older lines do not count */
	int64_t	 told_ms;		/* that there was such a line */
};

struct target {
	const struct conf_service *conf;	/* of the tree that is read */
	enum server server;
	bool	 is_llm;		/* repaired one at a time */
	uint16_t port;			/* whose holder is looked for, 0 none */
	char	 base[URL_MAX];		/* http://127.0.0.1:11434 */
	bool	 live_else;		/* its usual path is not there: 404 */
	struct rules rules;

	/* as the supervisor tells */
	bool	 up;
	pid_t	 pid;
	pid_t	 adopted;	/* who serves in its place, 0 nobody,
				   -1 one that cannot be named */
	char	 user[40];

	/* as we know */
	struct history history;
	struct ladder ladder;
	int64_t	 repair_ms;		/* under repair until, 0 not */
	int64_t	 fault_ms;		/* failing since, 0 not */
	char	 cause[100];		/* of our restart, "" none */
	int64_t	 restart_ms;		/* it was told to dump: restart then */
	uint64_t cpu_ms;		/* of its group ... */
	int64_t	 cpu_at_ms;		/* ... then; 0 unknown */

	/* the round that is under way */
	bool	 running;
	int	 pending;
	int64_t	 begun_ms, next_ms;
	struct round round;
	struct ask ask[LAYER_COUNT];
	struct models models;
	struct try try;

	/* the deep probe, beside the rounds */
	bool	 deep_running, deep_done;
	bool	 deep_said;		/* its log asks for one */
	int64_t	 deep_ms;		/* when the next is due, 0 never */
	struct round deep_round;
	int64_t	 deep_end_ms;		/* when the last was over */
	char	 deep_seen[40];		/* expires_at behind it, "?" not yet */
	struct ask unload;

	struct logged log;
	char	 evidence[EVIDENCE_MAX]; /* the last answer that was not good */

	/* what was told */
	enum verdict told;
	char	 told_why[WHY_MAX];
	char	 told_text[120];		/* ours to take back, "" none */
	bool	 untold;		/* the supervisor has not got it */
};

/* health_targets.c */
/* Reads the services; errors are logged, and then the old ones stay. */
int targets_load(void);
void targets_free(void);
int targets_count(void);
struct target *targets_get(int i);
struct target *targets_find(const char *name);
/* Is there a oneshot of that name? */
bool targets_have_oneshot(const char *name);
/* [docker] socket, the service's own or another's; NULL: to be searched. */
const char *targets_docker_socket(const struct target *t);

/* health_ask.c: questions over HTTP. pending counts the open ones. */
void ask_round(struct target *t, int64_t now_ms);
/* The usual path of life is not there: is there another to be asked? */
bool ask_other_path(struct target *t);
/* 0, or -1: no model to ask, or too many requests. */
int ask_deep(struct target *t, int64_t now_ms);
void ask_unload(struct target *t);
void ask_cancel(struct target *t);

/* health_docker.c: containers, as the engine sees them */
/* The engine's socket; NULL: there is none now. */
const char *docker_ask_socket(const struct target *t);
void docker_ask_base(const struct conf_service *sv, char *dst, size_t cap);
void docker_no_engine(struct probe *p);
struct http_result;
void docker_judge(struct target *t, struct probe *p,
    const struct http_result *r);

/* health_connect.c: connects */
void try_connect(struct target *t, int64_t now_ms);
void try_look_connect(struct target *t, int64_t now_ms);

/* health_command.c: commands, and what connects share with them */
/* The round of one that is asked without HTTP is over. */
void try_over(struct target *t, enum outcome out, const char *detail);
void try_command(struct target *t, int64_t now_ms);
/* Looks how far it is; ends it at its deadline. */
void try_look(struct target *t, int64_t now_ms);
void try_cancel(struct target *t);

/* health_holder.c: what the system says about its processes */
/* Somebody else has the port; words of who in r->holder. */
void holder_look(const struct target *t, struct round *r);
/* Did its processes use the CPU since the last call? */
bool holder_works(struct target *t, int64_t now_ms);

/* health_budget.c: the restarts that were asked for, on disk */
void budget_load(void);
void budget_save(void);

/* health_evidence.c */
/* Keeps what a probe brought that was not good, on one line. */
void evidence_keep(struct target *t, const char *text, size_t n);
/* From where a probe of a container is made, as words behind what is asked;
 * "" where it goes without saying. */
const char *evidence_place(const struct target *t);
/* The last lines that the service wrote to its log, "a | b"; how many. */
int evidence_last_lines(const struct target *t, char *dst, size_t cap);

/* Does the line of its log tell of one of our requests? */
bool evidence_is_of_a_probe(const struct target *t, const char *line,
    size_t n);
/* Without the stamp, in printable ASCII. */
void evidence_copy_line(const char *line, size_t n, char *dst, size_t cap);

/* health_log.c: texts in its log */
/* A run begins: from here on. */
void log_begin(struct target *t);
void log_end(struct target *t);
/* The texts may be others now; new ones are looked for from here on. */
void log_keep(struct target *t);
/* Counts in r what has been written since. */
void log_look(struct target *t, struct round *r);

/* health_latency.c */
/* The times of a round that is over, or of a deep probe. */
void latency_note(const struct target *t, const struct round *r);

/* health_watch.c: rounds, verdicts, remedies */
void watch_up(struct target *t, pid_t pid, int64_t age_ms);
void watch_down(struct target *t);
/* Who had its port has let it go: our own server starts. */
void watch_free(struct target *t);
/* The clock has jumped: what is under way proves nothing. */
void watch_lost(int64_t lost_ms, int64_t now_ms);
/* Does what is due; returns when it wants to be called again. */
int64_t watch_step(int64_t now_ms);
/* Descriptors whose readability moves something, at most max. */
int watch_fds(int *fd, int max);

/* health_remedy.c: what is done about a verdict */
void remedy_take(struct target *t, const struct judgement *j,
    int64_t now_ms);
/* The restart that waits for a dump. */
void remedy_restart(struct target *t, int64_t now_ms);
void remedy_advise(struct target *t, const struct judgement *j,
    const struct round *r);

/* health_link.c: the supervisor */
/* Connects when it is time to; returns when to call again. */
int64_t link_step(int64_t now_ms);
/* To be watched for reading, -1 none. */
int link_fd(void);
void link_read(void);
void link_close(void);
/* Reads the services again, and what the supervisor knows of them. */
void link_reload(void);
/* Asks for a restart, if the service is still wanted. 0, or -1 logged. */
int link_restart(const char *name, const char *reason);
int link_signal(const char *name, const char *signal);
/* Has a oneshot run. */
int link_once(const char *name);

/* health_tell.c: what is reported and logged */
void tell_verdict(struct target *t, const struct judgement *j,
    int64_t now_ms);
/* How many services are asked, as our own health. */
void tell_self(void);
void tell_again(struct target *t);
/* It is well again after our restart. */
void tell_healed(struct target *t, int64_t now_ms);
void tell_text(struct target *t, const char *text, const char *incident);

#endif
