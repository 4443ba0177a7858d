/* SPDX-License-Identifier: ISC */
/*
 * type = docker: what the engine says of a container. That the engine does
 * not answer is no fault of the container's, and no reason to restart it.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "docker.h"
#include "health.h"

static struct docker engine;

const char *
docker_ask_socket(const struct target *t)
{
	char err[DOCKER_ERR_LEN];

	/* It may be started later, or be another by now. */
	if (docker_find(&engine, targets_docker_socket(t), err) < 0)
		return NULL;
	return engine.socket;
}

void
docker_ask_base(const struct conf_service *sv, char *dst, size_t cap)
{
	(void)snprintf(dst, cap, "http://docker/containers/%.128s/json",
	    sv->container->name);
}

static void
say(struct probe *p, enum outcome out, const char *detail)
{
	p->out = out;
	p->status = 0;		/* the engine's, not the container's */
	buf_fit(p->detail, sizeof p->detail, detail);
}

void
docker_no_engine(struct probe *p)
{
	say(p, OUT_DEGRADED, "there is no container engine");
}

static void
judge(struct probe *p, const struct docker_container *c)
{
	static const struct {
		const char	*health;
		enum outcome	 out;
		const char	*words;
	} healths[] = {
		{ "healthy", OUT_OK, "healthy" },
		{ "starting", OUT_LOADING, "HEALTHCHECK: starting" },
	};
	char words[sizeof p->detail + 24];
	size_t i;

	if (strcmp(c->status, "paused") == 0) {
		say(p, OUT_DEGRADED, "paused from outside");
		return;
	}
	if (strcmp(c->status, "running") != 0) {
		(void)snprintf(words, sizeof words, "it is %s", c->status);
		say(p, OUT_BROKEN, words);
		return;
	}
	for (i = 0; i < nitems(healths); i++)
		if (strcmp(c->health, healths[i].health) == 0) {
			say(p, healths[i].out, healths[i].words);
			return;
		}
	if (strcmp(c->health, "unhealthy") != 0) {
		say(p, OUT_OK, "it runs; it has no HEALTHCHECK");
		return;
	}
	(void)snprintf(words, sizeof words, "unhealthy%s%.90s",
	    c->said[0] != '\0' ? " inside: " : "", c->said);
	say(p, OUT_BROKEN, words);
}

void
docker_judge(struct target *t, struct probe *p, const struct http_result *r)
{
	char words[sizeof p->detail], err[DOCKER_ERR_LEN];
	struct docker_container c;

	t->evidence[0] = '\0';
	if (r->status == 404) {
		say(p, OUT_BROKEN, "it does not exist");
	} else if (r->status == 200 && !r->cut &&
	    docker_parse_container(r->body, r->len, &c, err) == 0) {
		judge(p, &c);
		/* Of one that has ended it is what it printed before. */
		if (p->out == OUT_BROKEN && strcmp(c.status, "running") == 0)
			evidence_keep(t, c.said, strlen(c.said));
	} else {
		(void)snprintf(words, sizeof words, "the container engine "
		    "does not tell: %.50s", r->status == 0 ? r->err :
		    "not with 200");
		say(p, OUT_DEGRADED, words);
	}
}
