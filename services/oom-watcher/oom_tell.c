/* SPDX-License-Identifier: ISC */
/*
 * Tells of deaths: asks the engine for what the events leave open (limit and
 * OOM flag), takes the verdict, and reports it on the container's service,
 * or on our own when the tree has none for it. Everything told is logged, so
 * that nothing is lost while the supervisor is away. It does not say how a
 * service ended: which of its runs that was, the container's keeper knows.
 */
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "oom_conf.h"
#include "oom_tell.h"

#define INSPECT_MS	2000
#define SIGKILLED	137

int
tell_send(const char *service, const struct report *r)
{
	char err[CLIENT_ERR_LEN];

	int rc;

	if (!report_wanted() || (rc = report_send(service, r, err)) == 0)
		return 0;
	log_warnx("report on %s: %s", service, err);
	return rc < 0 ? -1 : 0;
}

/* limit -1 and no flag when the container is gone, or another by now. */
static void
look(struct docker *d, const struct box *b, int64_t *limit, bool *flag)
{
	struct docker_container c;
	char err[DOCKER_ERR_LEN];

	*limit = -1;
	*flag = false;
	if (docker_inspect(d, b->name, &c, INSPECT_MS, err) < 0 || !c.exists ||
	    strcmp(c.id, b->id) != 0)
		return;
	*limit = c.memory;
	/* Of a run that goes on the flag may speak of this run. */
	*flag = c.oom && strcmp(c.status, "running") != 0;
}

static void
tell(const struct box *b, const char *what, const char *advice, bool oom)
{
	const char *service = oom_conf_service(b->name);
	struct report r = { .incident = NULL };
	char words[256];

	(void)snprintf(words, sizeof words, "%s%s%s", what,
	    *advice != '\0' ? ": " : "", advice);
	log_info("%s", words);
	r.incident = words;
	if (service == NULL)		/* none of the tree's */
		service = oom_conf_self();
	else if (oom)
		r.text = advice;
	(void)tell_send(service, &r);
}

static void
tell_loop(struct box *b)
{
	struct loop l;
	char words[256];

	if (!box_loop(b, &l))
		return;
	loop_words(&l, b, words, sizeof words);
	tell(b, words, "", false);
}

void
tell_death(struct docker *d, struct box *b)
{
	char what[200], advice[120];
	int64_t limit = -1;
	bool flag = false;
	enum death death;

	if (b->exit_code == SIGKILLED || b->oom_ns != 0)
		look(d, b, &limit, &flag);
	death = box_judge(b, flag);
	death_words(death, b, limit, what, sizeof what, advice,
	    sizeof advice);
	if (death == DEATH_DELIBERATE)
		log_info("%s", what);
	else if (death != DEATH_OTHER)
		tell(b, what, advice, death == DEATH_OOM);
	tell_loop(b);
}

void
tell_outlived(struct docker *d, struct box *b)
{
	char what[200], advice[120];
	int64_t limit;
	bool flag;

	look(d, b, &limit, &flag);
	box_outlived(b);
	death_words(DEATH_CHILD, b, limit, what, sizeof what, advice,
	    sizeof advice);
	tell(b, what, advice, false);
}
