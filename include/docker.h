/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_DOCKER_H
#define SVTREE_DOCKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"

/*
 * The Docker Engine API (https://docs.docker.com/reference/api/engine/) over
 * its UNIX socket, as far as the keepers and the OOM watcher need it. The
 * API version is negotiated by GET /_ping: never a fixed one. Errors are a
 * reason in err (DOCKER_ERR_LEN bytes).
 */
#define DOCKER_ERR_LEN	256
#define DOCKER_SAID	512
#define DOCKER_EVENTS	256	/* as many as an engine replays */

struct docker_event {
	char	 action[48];	/* die oom kill start stop destroy ... */
	char	 name[128];	/* of the container */
	char	 id[80];
	int	 exit_code;	/* die; -1 not given. A label of this name
				   hides it: docker_inspect knows better */
	int	 signo;		/* kill; 0 not given */
	bool	 oom;		/* die: Podman says so here and has no oom */
	int64_t	 time_ns;
};

typedef void docker_on_event(void *arg, const struct docker_event *e);
typedef void docker_on_end(void *arg, const char *why);

struct docker {			/* begins as zeroes */
	char	 socket[256];
	char	 api[16];	/* "1.41" after docker_ping, "" unversioned */
	docker_on_event *on_event; /* of the open stream */
	docker_on_end *on_end;
	void	*arg;
	uint64_t seen[DOCKER_EVENTS]; /* the last events, so as not to repeat */
	unsigned nseen;
};

/* Finds the socket: wanted (may be NULL) or $DOCKER_HOST (unix:// both) and
 * nothing else; else that of the docker client's context or one of the usual
 * places of Docker, OrbStack, Colima, Podman: the first that somebody listens
 * on, else the first that exists. 0, or -1 with what was tried in err. */
int docker_find(struct docker *d, const char *wanted, char *err);
/* GET /_ping with the deadline. 0 when the engine answered. */
int docker_ping(struct docker *d, int timeout_ms, char *err);

struct docker_container {
	bool	 exists;
	char	 id[80];
	char	 status[24];	/* created running paused restarting removing
				   exited dead */
	bool	 oom;		/* State.OOMKilled */
	int	 exit_code;
	int	 restarts;	/* by Docker's own policy */
	char	 health[16];	/* starting healthy unhealthy, "" none */
	char	 policy[24];	/* HostConfig.RestartPolicy.Name */
	int	 policy_max;	/* its MaximumRetryCount, 0 no limit */
	char	 error[128];	/* State.Error */
	char	 started[40];	/* State.StartedAt: names one run of it */
	char	 finished[40];	/* State.FinishedAt: of its last death */
	char	 said[DOCKER_SAID]; /* what its HEALTHCHECK printed last */
	bool	 endless_log;	/* Docker keeps all it ever printed */
	int64_t	 memory;	/* HostConfig.Memory, 0 no limit */
	bool	 tty;		/* Config.Tty: its output is one raw stream */
};

/* GET /containers/NAME/json. 0 (exists says whether), -1 no engine. */
int docker_inspect(struct docker *d, const char *name,
    struct docker_container *c, int timeout_ms, char *err);
/* The answer's text, for tests and docker_inspect. 0 understood. */
int docker_parse_container(const char *text, size_t len,
    struct docker_container *c, char *err);
/* POST /containers/NAME/stop?t=seconds; one that is stopped or not there is
 * no error. */
int docker_stop(struct docker *d, const char *name, int seconds,
    int timeout_ms, char *err);

/* Opens GET /events of containers since since_ns (0: from now; the engine
 * replays its last 256). Repeated events are left out, over several streams
 * of the same d, too. d holds one stream at a time and must not move while
 * it is open. Progress by http_run. Returns an id for http_cancel, or -1.
 * end is called when the stream broke or could not be opened. */
int docker_events(struct docker *d, int64_t since_ns, docker_on_event *ev,
    docker_on_end *end, void *arg);
/* One line of the stream, for tests and docker_events. 0 understood, -1 no
 * event of a container. Older Podman's "died" and "remove" become "die" and
 * "destroy". */
int docker_parse_event(const char *line, size_t len, struct docker_event *e);

/* The output of a container. stamp is the engine's time of the piece, RFC 3339
 * with nine digits, so that text order is order in time; "" from a terminal. */
#define DOCKER_STAMP_LEN 30
typedef void docker_on_output(void *arg, const char *stamp,
    const char *bytes, size_t n);

struct docker_logs {		/* begins as zeroes; must not move */
	unsigned char head[8];	/* of the piece that comes */
	unsigned have;		/* bytes of it */
	size_t	 left;		/* bytes of the piece */
	char	 stamp[DOCKER_STAMP_LEN + 1];
	unsigned stamped;	/* bytes of the stamp, and of its blank */
	bool	 tty;
	docker_on_output *on_output;
	docker_on_end *on_end;
	void	*arg;
};

/* Opens GET /containers/NAME/logs from since_us on (inclusive) and follows it
 * until the container stops. Returns an id for http_cancel, or -1. */
int docker_logs(struct docker *d, struct docker_logs *l, const char *name,
    bool tty, int64_t since_us, docker_on_output *out, docker_on_end *end,
    void *arg);
/* Takes the stream apart, for tests and docker_logs. */
void docker_logs_feed(struct docker_logs *l, const char *bytes, size_t n);

#endif
