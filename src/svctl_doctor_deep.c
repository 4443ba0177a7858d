/* SPDX-License-Identifier: ISC */
/*
 * svctl doctor --deep: one token of a model that is loaded, as health-monitor
 * asks for it: no option that would load the model anew, no keep_alive. Where
 * the server does not tell what is loaded, the operator's word for it is the
 * first of [health] models. Silence of a server that computes for others is
 * work, not a hang.
 */
#include <stdio.h>
#include <string.h>

#include "os.h"
#include "svctl_doctor.h"
#include "svctl_http.h"

#define GET_MS		5000
#define WORKS_MS	100	/* of CPU time meanwhile */

struct question {
	char	 model[160];
	const char *path;
	bool	 openai;
};

/* False: there is none to ask, and it has been said. */
static bool
choose_model(struct doctor *d, const struct conf_service *sv,
    struct question *q)
{
	char mend[128];
	struct get g;
	int rc;

	(void)snprintf(mend, sizeof mend, "svctl explain %s", sv->name);
	q->openai = ctl_is(sv->health->type, "openai");
	q->path = q->openai ? "/v1/completions" : "/api/generate";
	if (!ctl_is(sv->health->type, "ollama")) {
		if (sv->health->models.n > 0) {
			(void)snprintf(q->model, sizeof q->model, "%s",
			    sv->health->models.v[0]);
			return true;
		}
		doctor_put(d, NOTE, NULL, "%s: no token is asked for: [health] "
		    "models names none that is loaded", sv->name);
		return false;
	}
	rc = get_url(sv->health->url, "/api/ps", GET_MS, &g);
	if (rc == 0 && g.status == 200 && body_loaded(g.body, g.len,
	    q->model, sizeof q->model)) {
		get_free(&g);
		return true;
	}
	if (rc == 0 && g.status == 200)
		doctor_put(d, NOTE, NULL, "%s has no model loaded: no token "
		    "is asked for", sv->name);
	else
		doctor_put(d, WARN, mend, "%s: /api/ps: %s: its "
		    "scheduler hangs, or a model loads", sv->name, rc < 0 ?
		    g.err : "not 200");
	get_free(&g);
	return false;
}

static void
put_body(const struct question *q, struct buf *b)
{
	json_open(b, '{');
	json_set_str(b, "model", q->model);
	json_set_str(b, "prompt", "1");
	json_set_bool(b, "stream", false);
	if (q->openai) {
		json_set_int(b, "max_tokens", 1);
	} else {
		json_set_bool(b, "think", false);
		json_key(b, "options");
		json_open(b, '{');
		json_set_int(b, "num_predict", 1);
		json_close(b, '}');
	}
	json_close(b, '}');
	(void)buf_cstr(b);
}

static uint64_t
cpu_of(const struct sv *now)
{
	uint64_t rss, cpu_ms = 0;

	if (now == NULL || now->pid <= 0 ||
	    os_group_usage((pid_t)now->pid, &rss, &cpu_ms) < 0)
		return 0;
	return cpu_ms;
}

static void
tell(struct doctor *d, const struct conf_service *sv,
    const struct question *q, int rc, const struct get *g, bool works)
{
	char words[200], mend[128];

	(void)snprintf(mend, sizeof mend, "svctl restart %s", sv->name);
	if (rc == 0 && (g->status == 503 || g->status == 429))
		doctor_put(d, FINE, NULL, "%s is busy (%s: %d): leave it "
		    "alone", sv->name, q->path, g->status);
	else if (rc < 0 && works)
		doctor_put(d, FINE, NULL, "%s has no token for us within %d "
		    "s, but its processes work: leave it alone", sv->name,
		    (int)(sv->health->deep_timeout_ms / 1000));
	else if (rc < 0)
		doctor_put(d, BAD, mend, "%s does not compute: no token of %s: "
		    "%s", sv->name, q->model, g->err);
	else if (body_token(g->body, g->len, words, sizeof words) != FINE ||
	    g->status >= 300)
		doctor_put(d, BAD, mend, "%s does not compute: %s answers %d: "
		    "%s", sv->name, q->path, g->status, words);
	else
		doctor_put(d, FINE, NULL, "%s computes: a token of %s in %d "
		    "ms", sv->name, q->model, g->ms);
}

void
doctor_deep(struct doctor *d, const struct conf_service *sv,
    const struct sv *now)
{
	struct question q;
	char mem[512];
	struct buf b;
	struct get g;
	uint64_t cpu;
	int rc;

	if (sv->health->url == NULL || (!ctl_is(sv->health->type, "ollama") &&
	    !ctl_is(sv->health->type, "mlx") &&
	    !ctl_is(sv->health->type, "openai")) || !choose_model(d, sv, &q))
		return;
	buf_init(&b, mem, sizeof mem);
	put_body(&q, &b);
	cpu = cpu_of(now);
	rc = get_post(sv->health->url, q.path, b.base,
	    (int)sv->health->deep_timeout_ms, &g);
	tell(d, sv, &q, rc, &g, cpu_of(now) > cpu + WORKS_MS);
	get_free(&g);
}
