/* SPDX-License-Identifier: ISC */
/*
 * What happened: the supervisor's log, as far as it may be read, and the
 * events that came since its last line.
 */
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "feed_words.h"
#include "history.h"
#include "view.h"
#include "when.h"

#define KEPT		200
#define KEPT_MAX	1024
#define TAIL		(256 * 1024)	/* of the log */
#define DAY		(4 * 1024 * 1024) /* of the log of a day */
#define TOKENS		128

static struct {
	char	 text[KEPT][KEPT_MAX];
	unsigned head, count;
} kept;

void
past_keep(const char *json, size_t len)
{
	char *dst;

	if (len >= KEPT_MAX)
		return;
	dst = kept.text[(kept.head + kept.count) % KEPT];
	if (kept.count == KEPT)
		kept.head = (kept.head + 1) % KEPT;
	else
		kept.count++;
	memcpy(dst, json, len);
	dst[len] = '\0';
}

struct told {			/* the latest KEPT events */
	const char *text[KEPT];
	size_t	 len[KEPT];
	unsigned count;
	char	 at[40];	/* of the last one, and its number */
	int64_t	 seq;
};

/* Takes the event in when it is worth it and later than all before. */
static void
add(void *arg, const char *text, size_t len)
{
	struct told *t = arg;
	struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	int64_t seq = 0;
	struct words w;
	struct json j;
	int order;

	if (json_parse(&j, text, len, tok, TOKENS, err) < 0)
		return;
	words_read(&w, &j, 0);
	(void)json_int(&j, json_get(&j, 0, "seq"), &seq);
	order = strcmp(w.at, t->at);
	if (order < 0 || (order == 0 && seq <= t->seq))
		return;
	memcpy(t->at, w.at, sizeof t->at);
	t->seq = seq;
	if (!words_count(&w))
		return;
	t->text[t->count % KEPT] = text;
	t->len[t->count % KEPT] = len;
	t->count++;
}

typedef void each_event(void *arg, const char *text, size_t len);

/* Lines of the log: a stamp, maybe, and the event. */
static void
each_line(const char *text, size_t n, each_event *each, void *arg)
{
	const char *line = text, *end, *start;

	while ((end = memchr(line, '\n', n - (size_t)(line - text))) !=
	    NULL) {
		start = memchr(line, '{', (size_t)(end - line));
		if (start != NULL)
			each(arg, start, (size_t)(end - start));
		line = end + 1;
	}
}

static void
remember(void *arg, const char *text, size_t len)
{
	struct json_tok tok[TOKENS];
	char err[JSON_ERR_LEN];
	struct words w;
	struct json j;

	(void)arg;
	if (json_parse(&j, text, len, tok, TOKENS, err) < 0)
		return;
	words_read(&w, &j, 0);
	if (w.service[0] != '\0' && when_parse(w.at) != 0)
		history_add(w.service, history_judge(w.state, w.want,
		    w.health), when_parse(w.at));
}

void
past_open(void)
{
	const char *dir = getenv("SVTREE_LOG");
	char *text = malloc(DAY);

	if (dir != NULL && text != NULL)
		each_line(text, view_log(dir, "svtree", text, DAY), remember,
		    NULL);
	free(text);
}

void
feed_put_incidents(struct buf *b)
{
	const char *dir = getenv("SVTREE_LOG"), *one;
	static char text[TAIL];
	static struct told t;
	unsigned i;

	t = (struct told){ .count = 0 };
	if (dir != NULL)
		each_line(text, view_log(dir, "svtree", text, sizeof text),
		    add, &t);
	for (i = 0; i < kept.count; i++) {
		one = kept.text[(kept.head + i) % KEPT];
		add(&t, one, strlen(one));
	}
	json_open(b, '[');
	for (i = t.count < KEPT ? 0 : t.count - KEPT; i < t.count; i++)
		json_put_raw(b, t.text[i % KEPT], t.len[i % KEPT]);
	json_close(b, ']');
}
