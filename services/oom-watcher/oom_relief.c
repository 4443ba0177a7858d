/* SPDX-License-Identifier: ISC */
/*
 * Asks Ollama to unload idle models: two looks at its list, a second apart,
 * then one request a model. Each step is one request with a deadline, so
 * that the loop gets its turn between them. An Ollama that does not answer
 * is passed over: its health is somebody else's affair.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "http.h"
#include "json.h"
#include "log.h"
#include "oom_conf.h"
#include "oom_models.h"
#include "oom_relief.h"
#include "oom_tell.h"
#include "os.h"

#define EVERY_MS	60000
#define PAUSE_MS	1000
#define CONNECT_MS	500
#define LOOK_MS		2000
#define UNLOAD_MS	3000
#define BODY_MAX	65536

enum phase { PH_REST, PH_FIRST_LOOK, PH_SECOND_LOOK, PH_UNLOAD };

static struct {
	enum phase	 phase;
	int		 which;		/* of the Ollamas */
	int64_t		 at_ms;		/* of the next step */
	bool		 wanted_once;
	int64_t		 wanted_ms;	/* last time */
	struct models	 before, idle;
	int		 done;		/* models asked to go */
	char		 text[BODY_MAX];
} rf;

void
relief_want(int64_t now_ms)
{
	if (rf.phase != PH_REST || oom_conf_ollama(0) == NULL ||
	    (rf.wanted_once && now_ms - rf.wanted_ms < EVERY_MS))
		return;
	rf.wanted_once = true;
	rf.wanted_ms = now_ms;
	rf.which = 0;
	rf.phase = PH_FIRST_LOOK;
	rf.at_ms = now_ms;
}

static int
ask(const char *base, const char *path, const char *body, int total_ms)
{
	char url[512];
	struct http_request rq = { .url = url, .body = body,
	    .method = body != NULL ? "POST" : "GET",
	    .connect_ms = CONNECT_MS, .total_ms = total_ms,
	    .max_body = sizeof rf.text - 1 };
	struct http_result res;
	size_t n = strlen(base);

	while (n > 0 && base[n - 1] == '/')
		n--;
	if (snprintf(url, sizeof url, "%.*s%s", (int)n, base, path) >=
	    (int)sizeof url)
		return -1;
	if (http_do(&rq, &res, rf.text, sizeof rf.text) == 200 && !res.cut)
		return 0;
	log_warnx("%s: %s", url, res.err[0] != '\0' ? res.err :
	    "refused");
	return -1;
}

static int
look(const char *base, struct models *m)
{
	if (ask(base, "/api/ps", NULL, LOOK_MS) < 0)
		return -1;
	if (models_parse(m, rf.text, strlen(rf.text)) == 0)
		return 0;
	log_warnx("%s/api/ps: no list of models", base);
	return -1;
}

static int
unload(const char *base, const char *model)
{
	char text[256], words[220];
	struct report r = { .incident = words };
	struct buf b;

	buf_init(&b, text, sizeof text);
	json_open(&b, '{');
	json_set_str(&b, "model", model);
	json_set_int(&b, "keep_alive", 0);
	json_close(&b, '}');
	(void)buf_cstr(&b);
	if (b.overflow || ask(base, "/api/generate", text, UNLOAD_MS) < 0)
		return -1;
	(void)snprintf(words, sizeof words, "memory is critical: asked Ollama "
	    "to unload the idle model %s", model);
	log_info("%s", words);
	(void)tell_send(oom_conf_self(), &r);
	return 0;
}

static void
next_ollama(void)
{
	rf.which++;
	rf.phase = oom_conf_ollama(rf.which) != NULL ? PH_FIRST_LOOK : PH_REST;
}

static void
second_look(const char *base)
{
	rf.phase = PH_UNLOAD;
	rf.done = 0;
	if (look(base, &rf.idle) < 0)
		rf.idle.n = 0;
	models_idle(&rf.idle, &rf.before, os_wall_us());
	if (rf.idle.n == 0)
		next_ollama();
}

int64_t
relief_step(int64_t now_ms)
{
	const char *base = oom_conf_ollama(rf.which);

	if (rf.phase != PH_REST && base == NULL) /* service.conf has changed */
		rf.phase = PH_REST;
	if (rf.phase == PH_REST)
		return INT64_MAX;
	if (now_ms < rf.at_ms)
		return rf.at_ms;
	rf.at_ms = now_ms;
	if (rf.phase == PH_FIRST_LOOK) {
		if (look(base, &rf.before) < 0 || rf.before.n == 0) {
			next_ollama();
		} else {
			rf.phase = PH_SECOND_LOOK;
			rf.at_ms = os_now_ms() + PAUSE_MS;
		}
	} else if (rf.phase == PH_SECOND_LOOK) {
		second_look(base);
	} else if (unload(base, rf.idle.v[rf.done].name) < 0 ||
	    ++rf.done == rf.idle.n) {
		next_ollama();
	}
	return rf.phase == PH_REST ? INT64_MAX : rf.at_ms;
}
