/* SPDX-License-Identifier: ISC */
/*
 * What can be made to go wrong with llm-standin, by POST /_standin or from
 * the start by $STANDIN_FAULT:
 *
 *	{"fault": "none"}		all is well again
 *	{"fault": "slow", "ms": 1500}	every answer comes later
 *	{"fault": "busy", "status": 429}	503 without a status
 *	{"fault": "hang"}		accepts and never answers
 *	{"fault": "empty"}		models: []
 *	{"fault": "generate-fails"}	500 on inference, /api/tags works
 *	{"fault": "wedge"}		/api/ps and inference hang, / answers
 *	{"fault": "loading"}		503 Loading model (llama-server)
 *	{"fault": "error"}		500 on every path
 *	{"fault": "cpu"}		loaded models are not on the GPU
 *	{"fault": "status", "word": "critical"}	what /health says
 *
 * and deeds, which leave the fault as it is:
 *
 *	{"fault": "eat", "mib": 64}	more memory, for good
 *	{"fault": "crash", "code": 1}	or "signal": 9
 *	{"fault": "ignore-term"}
 *	{"fault": "runners", "count": 2, "spin": true, "ignore_term": true}
 *	{"fault": "loaded", "model": "llama3.2:1b"}
 */
#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "standin.h"

#define MIB		((size_t)1 << 20)

static const char *const words[FAULT_COUNT] = {
	[FAULT_NONE] = "none", [FAULT_SLOW] = "slow", [FAULT_BUSY] = "busy",
	[FAULT_HANG] = "hang", [FAULT_EMPTY] = "empty",
	[FAULT_GENERATE_FAILS] = "generate-fails", [FAULT_WEDGE] = "wedge",
	[FAULT_LOADING] = "loading", [FAULT_ERROR] = "error",
	[FAULT_CPU] = "cpu", [FAULT_STATUS] = "status",
};

static int64_t
number(const struct json *j, const char *name, int64_t otherwise)
{
	int64_t n;

	return json_int(j, json_get(j, 0, name), &n) == 0 ? n : otherwise;
}

static bool
flag(const struct json *j, const char *name)
{
	bool on = false;

	(void)json_bool(j, json_get(j, 0, name), &on);
	return on;
}

static int
eat(struct standin *s, const struct json *j)
{
	static char *volatile eaten;	/* or the compiler sees through it */
	int64_t mib = number(j, "mib", 64);

	(void)s;
	if (mib < 1 || mib > 1 << 20)
		return -1;
	if ((eaten = malloc((size_t)mib * MIB)) == NULL)
		return -1;
	memset(eaten, 1, (size_t)mib * MIB);	/* touched, and never freed */
	return 0;
}

static int
crash(struct standin *s, const struct json *j)
{
	s->exit_signal = (int)number(j, "signal", 0);
	s->exit_code = (int)number(j, "code", 1) & 0xff;
	return s->exit_signal < 0 || s->exit_signal >= NSIG ? -1 : 0;
}

static int
ignore_term(struct standin *s, const struct json *j)
{
	(void)s;
	(void)j;
	(void)signal(SIGTERM, SIG_IGN);
	return 0;
}

static void
be_runner(const struct json *j)
{
	volatile unsigned work = 0;
	long fd, top = sysconf(_SC_OPEN_MAX);

	(void)signal(SIGTERM, flag(j, "ignore_term") ? SIG_IGN : SIG_DFL);
	/* The port and the clients are not a runner's. */
	for (fd = 3; fd < top && fd < 1024; fd++)
		(void)close((int)fd);
	while (flag(j, "spin"))
		work++;
	for (;;)
		(void)pause();
}

/* Children in our group that outlive us, as llama-server does Ollama. */
static int
fork_runners(struct standin *s, const struct json *j)
{
	int64_t n = number(j, "count", 1);
	pid_t pid;

	for (; n > 0 && s->nrunners < RUNNERS_MAX; n--) {
		if ((pid = fork()) < 0)
			return -1;
		if (pid == 0)
			be_runner(j);
		s->runner[s->nrunners++] = pid;
	}
	return n == 0 ? 0 : -1;
}

static int
load(struct standin *s, const struct json *j)
{
	char name[64];
	int i;

	if (json_str(j, json_get(j, 0, "model"), name, sizeof name) < 0)
		return -1;
	for (i = 0; i < s->nmodels; i++)
		if (strcmp(s->model[i].name, name) == 0) {
			s->model[i].expires_ms = -1;
			return 0;
		}
	return -1;
}

static const struct {
	const char	*word;
	int		(*run)(struct standin *, const struct json *);
} deeds[] = {
	{ "eat", eat },
	{ "crash", crash },
	{ "ignore-term", ignore_term },
	{ "runners", fork_runners },
	{ "loaded", load },
};

static int
set(struct standin *s, const struct json *j, const char *word, char *err)
{
	size_t i;
	int f;

	for (i = 0; i < nitems(deeds); i++)
		if (strcmp(deeds[i].word, word) == 0) {
			if (deeds[i].run(s, j) == 0)
				return 0;
			(void)snprintf(err, 128, "%s: cannot be done: %s",
			    word, errno != 0 ? strerror(errno) : "wrong value");
			return -1;
		}
	for (f = 0; f < FAULT_COUNT; f++)
		if (strcmp(words[f], word) == 0)
			break;
	if (f == FAULT_COUNT) {
		(void)snprintf(err, 128, "%s: no such fault", word);
		return -1;
	}
	s->fault = (enum fault)f;
	s->slow_ms = (int)number(j, "ms", 1000);
	s->busy_status = (int)number(j, "status", 503);
	if (json_str(j, json_get(j, 0, "word"), s->word, sizeof s->word) < 0)
		(void)snprintf(s->word, sizeof s->word, "degraded");
	return 0;
}

int
fault_set(struct standin *s, const char *text, size_t len, char *err)
{
	char bare[160], word[32], why[JSON_ERR_LEN];
	struct json_tok tok[32];
	struct json j;

	if (len > 0 && text[0] != '{') {
		len = (size_t)snprintf(bare, sizeof bare, "{\"fault\":\"%.*s\"}",
		    len < 100 ? (int)len : 100, text);
		text = bare;
	}
	errno = 0;
	if (json_parse(&j, text, len, tok, nitems(tok), why) < 0) {
		(void)snprintf(err, 128, "no JSON: %.100s", why);
		return -1;
	}
	if (json_str(&j, json_get(&j, 0, "fault"), word, sizeof word) < 0) {
		(void)snprintf(err, 128, "wanted: {\"fault\": \"hang\"}");
		return -1;
	}
	return set(s, &j, word, err);
}

void
fault_control(struct standin *s, const struct request *rq, struct answer *a)
{
	static const char *const modes[] = { "ollama", "mlx", "openai" };
	struct buf *b = a->body;
	char err[128];
	int i;

	if (strcmp(rq->method, "POST") == 0 &&
	    fault_set(s, rq->body, rq->len, err) < 0) {
		a->status = 400;
		json_open(b, '{');
		json_set_str(b, "error", err);
		json_close(b, '}');
		return;
	}
	json_open(b, '{');
	json_set_str(b, "mode", modes[s->mode]);
	json_set_str(b, "fault", words[s->fault]);
	json_set_int(b, "pid", getpid());
	json_key(b, "runners");
	json_open(b, '[');
	for (i = 0; i < s->nrunners; i++)
		json_put_int(b, s->runner[i]);
	json_close(b, ']');
	json_set_int(b, "tags", s->tags);
	json_set_int(b, "ps", s->ps);
	json_set_int(b, "inference", s->inference);
	json_set_int(b, "other", s->other);
	json_set_str(b, "last", s->last);
	json_close(b, '}');
}

void
fault_reap(struct standin *s)
{
	int i;

	for (i = 0; i < s->nrunners;)
		if (waitpid(s->runner[i], NULL, WNOHANG) != 0)
			s->runner[i] = s->runner[--s->nrunners];
		else
			i++;
}

/* As Ollama does on SIGTERM: no runner is left. */
void
fault_kill_runners(struct standin *s)
{
	while (s->nrunners > 0) {
		(void)kill(s->runner[--s->nrunners], SIGKILL);
		(void)waitpid(s->runner[s->nrunners], NULL, 0);
	}
}
