/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_STANDIN_H
#define SVTREE_STANDIN_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/*
 * llm-standin, a server for tests in place of Ollama, the MLX server or one
 * with OpenAI's paths. standin_api.c knows what they answer, standin_fault.c
 * what can be made to go wrong, llm-standin.c the sockets and signals.
 */
enum mode { MODE_OLLAMA, MODE_MLX, MODE_OPENAI };

enum fault {
	FAULT_NONE,
	FAULT_SLOW,		/* every answer comes ms later */
	FAULT_BUSY,		/* 503 (or status) on every path */
	FAULT_HANG,		/* accepts, reads, never answers */
	FAULT_EMPTY,		/* models: [] */
	FAULT_GENERATE_FAILS,	/* 500 on inference, the rest works */
	FAULT_WEDGE,		/* the scheduler hangs, / answers */
	FAULT_LOADING,		/* 503 Loading model */
	FAULT_ERROR,		/* 500 on every path */
	FAULT_CPU,		/* loaded models are not on the GPU */
	FAULT_STATUS,		/* /health says the given word */
	FAULT_COUNT
};

#define MODELS_MAX	16
#define RUNNERS_MAX	16

struct model {
	char	 name[64];
	int64_t	 expires_ms;	/* 0 not loaded, -1 for ever */
	int64_t	 expires_us;	/* the same as wall time, as /api/ps says */
};

struct standin {
	enum mode mode;
	enum fault fault;
	int	 slow_ms;
	int	 busy_status;
	char	 word[16];	/* FAULT_STATUS */
	struct model model[MODELS_MAX];
	int	 nmodels;
	pid_t	 runner[RUNNERS_MAX];
	int	 nrunners;
	int	 exit_code;	/* >= 0: leave once the answer is out */
	int	 exit_signal;	/* > 0: likewise, by this signal */
	unsigned tags, ps, inference, other; /* requests so far */
	char	 last[512];	/* body of the last inference request */
};

struct request {
	char	 method[8];
	char	 path[128];	/* without the query */
	bool	 head_only;	/* HEAD, taken for GET without a body */
	const char *body;
	size_t	 len;
};

/* What is answered: status and JSON (or text) in body; silent: nothing. */
struct answer {
	int	 status;
	bool	 text;		/* text/plain, not JSON */
	bool	 silent;
	int	 delay_ms;
	struct buf *body;
};

/* standin_api.c */
void api_answer(struct standin *s, const struct request *rq,
    struct answer *a);

/* standin_fault.c: GET and POST /_standin */
void fault_control(struct standin *s, const struct request *rq,
    struct answer *a);
/* A fault in JSON, as POST /_standin takes it, or a bare word. 0, or -1
 * with a reason in err (128 bytes). */
int fault_set(struct standin *s, const char *text, size_t len, char *err);
void fault_reap(struct standin *s);
void fault_kill_runners(struct standin *s);

int64_t standin_now_ms(void);

#endif
