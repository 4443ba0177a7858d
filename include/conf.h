/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_CONF_H
#define SVTREE_CONF_H

#include <sys/socket.h>

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * service.conf: everything declarative about one service, for all programs
 * that read a part of it. doc/svtree.conf.5 is the reference; the table of
 * keys in conf_keys.c is its source. Loading allocates; conf_free gives all
 * of it back at once.
 */
#define CONF_NAME_MAX	48	/* length of a service's name, without NUL */
#define CONF_ERR_LEN	512
#define CONF_INCIDENT_MAX 600	/* bytes of an incident that is told */
#define CONF_LOGGER	"/log"	/* behind the name of a service: its logger */
#define CONF_UNSET	INT_MIN	/* of nice and oom_score_adj */

enum conf_type { TYPE_DAEMON, TYPE_ONESHOT };
enum conf_restart { RESTART_ALWAYS, RESTART_ON_FAILURE, RESTART_NEVER };
enum conf_kill { KILL_GROUP, KILL_LEADER };
enum hook { HOOK_CRASH, HOOK_TRIP, HOOK_INCIDENT, HOOK_RECOVERY,
	HOOK_COUNT };
enum conf_ready { READY_NONE, READY_NOTIFY, READY_FD, READY_CHECK };

/* A list of words; v has n entries and then NULL. */
struct conf_list {
	char	**v;
	int	  n;
};

struct conf_need {
	char	*name;
	bool	 healthy;	/* ollama:healthy */
};

struct conf_needs {
	struct conf_need *v;
	int	 n;
};

struct conf_limit {		/* [limits]: setrlimit(2) by name */
	int	 resource;
	uint64_t soft, hard;	/* UINT64_MAX is infinity */
};

#define CONF_SOCKETS_MAX 16
struct conf_socket {
	char	*name;		/* for LISTEN_FDNAMES */
	char	*address;
};

struct conf_sockets {		/* [sockets] */
	struct conf_socket *v;
	int	 n;
	int	 mode;		/* of a path, 0666 */
};

enum conf_compress { COMPRESS_NO, COMPRESS_GZIP, COMPRESS_ZSTD };

struct conf_log {		/* [log] */
	int64_t	 max_size;	/* bytes of one file, default 10 MiB */
	int64_t	 total;		/* bytes of all, default 100 MiB */
	int64_t	 keep;		/* rotated files, default 10 */
	bool	 timestamps;	/* default yes */
	enum conf_compress compress; /* rotated files; default no */
};

struct conf_health {		/* [health]; type NULL means no probe */
	char	*type;		/* ollama mlx openai http tcp exec docker */
	char	*url;		/* base address, http://127.0.0.1:11434 */
	char	*also;		/* another address that must answer */
	char	*live;		/* path asked for life */
	char	*ready;		/* path asked for readiness */
	struct conf_list command; /* type = exec */
	struct conf_list models; /* names that must be in the list of models */
	int64_t	 interval_ms;	/* 10 s */
	int64_t	 timeout_ms;	/* 3 s */
	int64_t	 threshold;	/* 3 failures in a row */
	int64_t	 start_grace_ms; /* 60 s: no verdict "failing" before */
	int64_t	 load_grace_ms;	/* 5 min that a load may be silent */
	int64_t	 wake_grace_ms;	/* 10 s after sleep: no failure counts */
	int64_t	 deep_ms;	/* between two deep probes, 0 none */
	int64_t	 deep_timeout_ms; /* 30 s */
	int64_t	 max_memory;	/* bytes; above it is told; 0 none */
	bool	 expendable;	/* restarted when memory stays critical; no */
	struct conf_list log_failing; /* texts in its log that mean failing */
	struct conf_list log_warning; /* ... and degraded */
	bool	 restart;	/* restart when failing; default yes */
	bool	 dump;		/* SIGQUIT before that; default no */
};

struct conf_container {		/* [container]; name NULL means none */
	char	*name;
	char	*service;	/* of the compose file; default: name */
	char	*compose;	/* absolute path of the compose file */
	char	*project;	/* compose project; default: compose's own */
	int64_t	 up_timeout_ms;	/* 120 s for `up -d` */
	int64_t	 stop_timeout_ms; /* 10 s given to the container */
	bool	 stop;		/* stopping the service stops it; yes */
	bool	 outside_start;	/* started again when somebody else (docker
				   stop) stopped it; yes */
	bool	 logs;		/* its output goes to the service's log; yes */
};

struct conf_docker {		/* [docker] */
	char	*socket;	/* default: searched for */
	struct conf_list start;	/* command that starts the engine */
	int64_t	 start_every_ms; /* 60 s between two attempts */
};

struct conf_port {		/* [port] */
	int64_t	 number;	/* 0: none */
	int	 policy;	/* enum conf_port_policy */
};
enum conf_port_policy { PORT_REFUSE, PORT_EVICT, PORT_ADOPT };

/* What few services say of themselves in [service]. */
struct conf_rare {
	struct conf_list groups; /* supplementary, beside the user's own */
	struct conf_list hook[HOOK_COUNT]; /* programs that are told */
	int64_t	 hook_timeout_ms; /* 30 s */
	struct conf_list stop_command; /* before the signal */
	struct conf_list grants; /* control methods its processes may call */
	struct conf_list pass;	/* names let through from the supervisor */
	struct conf_list env_file; /* paths, each maybe after a '-' */
	struct conf_list env_dir; /* directories as of chpst -e, the same */
};

struct conf_service {
	char	*name;		/* of the directory */
	char	*dir;		/* absolute path */
	char	*description;
	struct conf_list exec;	/* n = 0: ./run */
	char	*user;		/* as written: a name, owner-of:PATH, or NULL */
	char	*group;
	char	*directory;
	enum conf_type type;
	int64_t	 every_ms;	/* oneshot's timer, 0 none */
	int64_t	 every_jitter_ms; /* up to so much later each time */
	struct conf_needs needs;
	struct conf_needs after;
	struct conf_list restart_with;
	enum conf_restart restart;
	int64_t	 restart_delay_ms; /* 1 s: first back-off */
	int64_t	 restart_max_ms; /* 60 s: cap of the back-off */
	int64_t	 restart_limit;	/* 10 restarts ... */
	int64_t	 restart_window_ms; /* ... in 5 min trip the breaker */
	struct conf_list no_restart; /* exit codes that hold at once */
	struct conf_list success; /* exit codes that are one, beside 0 */
	int	 stop_signal;	/* SIGTERM */
	int64_t	 stop_timeout_ms; /* 20 s until SIGKILL */
	enum conf_kill kill;
	enum conf_ready ready;
	int	 ready_fd;	/* READY_FD */
	int64_t	 start_timeout_ms; /* 60 s; 0 none */
	int64_t	 watchdog_ms;	/* WATCHDOG=1 at least so often; 0 none */
	struct conf_list environment; /* NAME=value, [environment] */
	int	 umask;		/* 022 */
	int	 nice;		/* CONF_UNSET: the supervisor's */
	int	 oom_score_adj;	/* CONF_UNSET: 0 */
	struct conf_sockets sockets;
	struct conf_limit *limits;
	int	 nlimits;
	/* Of a loaded service never NULL; where nothing is said, defaults that
	 * many share. */
	const struct conf_rare *rare;	/* by conf_rare */
	const struct conf_log *log;
	const struct conf_health *health;
	const struct conf_container *container;
	const struct conf_docker *docker;
	struct conf_port port;
	char	*instance;	/* of NAME@INSTANCE, else NULL */
	struct conf_list instances; /* those that a template names */
	char	*logs;		/* NAME/log: the service whose output it
				 * reads; NULL: it is no logger */
	bool	 has_logger;	/* there is such a NAME/log */
	bool	 down;		/* a file "down": not started at boot */
	const char *broken;	/* its first error, "service.conf:LINE: ...";
				   NULL: none */
	bool	 has_run, has_finish, has_check;
	uint64_t fingerprint;	/* changes when the definition does */
};

struct conf_tree {
	char	*dir;			/* absolute path of the services */
	struct conf_service *service;	/* sorted by name */
	int	 n;
	void	*memory;		/* conf.c's own */
};

/*
 * Reads every service below dir (entries that begin with '.' are left out).
 * Every error is passed to report as one line, "NAME/service.conf:LINE: what
 * is wrong; what would be right"; all are reported, not the first. Returns 0,
 * or -1 when there was one (and t holds nothing). Checks included: keys,
 * values, users, programs, needs that exist, cycles.
 */
typedef void conf_report(void *arg, const char *line);
int conf_load(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg);
/* The same for who must go on with what is good: services with an error stay
 * in the list and say so in broken. Returns 0 or more, the number of errors,
 * or -1 when no service is good (and t holds nothing). */
int conf_load_partly(struct conf_tree *t, const char *dir,
    conf_report *report, void *arg);
void conf_free(struct conf_tree *t);
/* What it says, or the defaults; of one that is not loaded, too. */
const struct conf_rare *conf_rare(const struct conf_service *sv);
/* [log] of one that says nothing of it. */
const struct conf_log *conf_log_default(void);
/* By name; NULL when there is none. */
struct conf_service *conf_find(const struct conf_tree *t, const char *name);

/* [log] of one service alone, without the checks of a whole tree: the
 * logger's door. 0 with the defaults when there is no such file; -1 when it
 * is in error, and log is left as it is. */
int conf_load_log(const char *dir, const char *name, struct conf_log *log);

/* The user a service runs as, looked up afresh. uid = -1: as the supervisor
 * (user not set). Returns 0, or -1 with a reason in err (CONF_ERR_LEN). */
struct conf_user {
	long	 uid, gid;
	char	 name[64], home[256], shell[128];
};
int conf_user(const struct conf_service *sv, struct conf_user *u, char *err);

/* The word of [limits] for a resource of setrlimit(2). */
const char *conf_limit_name(int resource);

/*
 * Variables from files: NAME=value lines, or a directory with a file for each
 * variable (chpst(8) -e: its first line counts, an empty file takes the
 * variable away: value NULL). A path behind a '-' may be missing. Returns 0,
 * or -1 with a reason in err (CONF_ERR_LEN) that names the file and line.
 */
typedef void conf_env_each(void *arg, const char *name, const char *value);
int conf_env_file(const char *path, conf_env_each *each, void *arg,
    char *err);
int conf_env_dir(const char *path, conf_env_each *each, void *arg,
    char *err);
/* The next variable of an env-file's text. *text and *line are moved on.
 * 1 there is one, 0 at the end, -1 with a reason in err. */
int conf_env_next(const char **text, int *line, char *name, size_t name_cap,
    char *value, size_t value_cap, char *err);

/* "127.0.0.1:80", "[::1]:80", "*:80" or a path; 0 when it is none of them. */
socklen_t conf_address(const char *text, struct sockaddr_storage *sa);

/* Where programs are looked for: $SVTREE_PATH, else the directories that this
 * build was made with, colon-separated. */
const char *conf_default_path(void);

/* The table of keys, for pages and completions; NULL behind the last. */
struct conf_key_help {
	const char *section, *key, *kind, *help;
	char	 deflt[16];	/* as written in service.conf, "" none */
};
const struct conf_key_help *conf_key_help(int i);

/* "5m", "1h30m", "250ms", "10" (seconds) to ms; "10M", "64K", "1G" to bytes;
 * -1 when the text is no such thing. */
int64_t conf_duration(const char *text);
int64_t conf_size(const char *text);
/* Splits like a shell without expansion: blanks, '...', "...", backslash.
 * Returns the number of words, -1 with a reason in err. Words lie in mem. */
int conf_split(const char *text, char **word, int max, char *mem, size_t cap,
    char *err);
/* "TERM", "SIGTERM", "15" to a number, -1 unknown; and back ("SIGTERM"). */
int conf_signal(const char *text);
const char *conf_signal_name(int signo);

#endif
