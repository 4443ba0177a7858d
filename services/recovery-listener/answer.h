/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_ANSWER_H
#define SVTREE_ANSWER_H

#include "guard.h"
#include "web.h"

/* What is asked, by whom, and what is answered. */
struct answer_opts {
	uint16_t	 port;
	int64_t		 cooldown_ms;
	const char	*service;	/* the oneshot that recovers */
	struct tokens	 tokens;	/* n = 0: none is asked for */
	struct hosts	 hosts;
};

/* o stays where it is, and may change. */
void answer_open(struct answer_opts *o);
void answer(const struct web_request *rq, struct web_reply *r);

/* For the files with handlers: what a handler is given. */
struct query {
	const struct web_request *rq;
	struct web_reply *r;
	const char	*rest;		/* of the path, behind the route */
	bool		 trusted;	/* bears a token */
	const struct answer_opts *o;
	struct buf	*out;		/* for the body; empty */
};

/* Words as JSON: {"status":status,"reason":reason}. */
void answer_words(struct query *q, int code, const char *status,
    const char *reason);

/* answer_recover.c */
void answer_recover(struct query *q);
void answer_limited(void);
void answer_refused(void);
const struct counts *answer_counts(void);

/* answer_look.c */
void answer_root(struct query *q);
void answer_health(struct query *q);
void answer_healthz(struct query *q);
void answer_status(struct query *q);
void answer_metrics(struct query *q);

/* answer_page.c */
void answer_html(struct query *q);
void answer_css(struct query *q);
void answer_js(struct query *q);
void answer_events(struct query *q);
void answer_incidents(struct query *q);
void answer_availability(struct query *q);
void answer_latency(struct query *q);
void answer_log(struct query *q);
void answer_restart(struct query *q);

#endif
