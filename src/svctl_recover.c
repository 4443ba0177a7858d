/* SPDX-License-Identifier: ISC */
/*
 * svctl recover: runs the oneshot of that name and shows what it prints as
 * it prints it. A run that is under way already is joined.
 */
#include <sys/ioctl.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"
#include "svctl_logs.h"

#define SLICE_MS	50	/* between two looks at its log */
#define LOGGER_MS	1000	/* to its first line */
#define LAST_MS		5000	/* to its last */
#define NAME		"recover"

static char *const name[] = { (char *)NAME };

/* Without the stamp that svlog has put before. */
static bool
show_new(struct lines *l)
{
	const char *text;
	bool some = false;

	while (lines_next(l)) {
		some = true;
		text = l->line;
		if (l->len > LINES_STAMP + 1 && text[0] == '2' &&
		    text[LINES_STAMP - 1] == 'Z' && text[LINES_STAMP] == ' ')
			text += LINES_STAMP + 1;
		(void)fputs(text, stdout);
	}
	(void)fflush(stdout);
	return some;
}

/* Opens its log at the present end; there may be none yet. */
static void
look_for_log(struct ctl *c, struct lines *l, bool from_start)
{
	char dir[1024];

	if (l->n == 0 && ctl_log_dir(c, NAME, dir, sizeof dir) == 0)
		(void)lines_open(l, dir, from_start ? -1 : 0, NULL);
}

static bool
is_over(const struct sv *before, const struct sv *now)
{
	return (ctl_is(now->state, "DOWN") || ctl_is(now->state, "BACKOFF") ||
	    ctl_is(now->state, "TRIPPED")) &&
	    !ctl_is(now->exit_at, before->exit_at);
}

/* Bytes that svlog has not written yet lie in the FIFO. */
static bool
is_logged(const struct ctl *c)
{
	char run[512], path[600];
	int fd, n = 0;

	if (client_run_dir(c->run, run, sizeof run) < 0)
		return true;
	(void)snprintf(path, sizeof path, "%s/" NAME "/log", run);
	if ((fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		return true;
	if (ioctl(fd, FIONREAD, &n) < 0)
		n = 0;
	(void)close(fd);
	return n == 0;
}

/* svlog may be behind. */
static void
show_rest(struct ctl *c, struct lines *l, bool some)
{
	int64_t began = ctl_now_ms();
	bool logged;

	do {
		logged = is_logged(c);
		(void)ctl_next_event(c, ctl_now_ms() + 2 * SLICE_MS);
		look_for_log(c, l, true);
		some = show_new(l) || some;
	} while ((!logged && ctl_now_ms() < began + LAST_MS) ||
	    (!some && ctl_now_ms() < began + LOGGER_MS));
}

static int
watch(struct ctl *c, struct lines *l, const struct sv *before)
{
	int64_t deadline = ctl_now_ms() + c->timeout_ms, slice;
	struct list now = { .sv = NULL };
	bool some = false;
	int rc;

	for (;;) {
		if ((rc = ctl_list(c, (char **)name, 1, &now, false)) !=
		    CTL_OK)
			break;
		look_for_log(c, l, true);
		some = show_new(l) || some;
		if (now.n == 0 || is_over(before, &now.sv[0]))
			break;
		if (ctl_now_ms() >= deadline) {
			(void)fprintf(stderr, "svctl: recover is still at "
			    "work; svctl logs -f recover goes on\n");
			rc = CTL_TIMEOUT;
			break;
		}
		slice = ctl_now_ms() + SLICE_MS;
		if ((rc = ctl_next_event(c, slice < deadline ? slice :
		    deadline)) < 0) {
			rc = -rc;
			break;
		}
	}
	if (rc == CTL_OK) {
		show_rest(c, l, some);
		rc = now.n > 0 && now.sv[0].exit_good ? CTL_OK : CTL_FAILED;
	}
	ctl_list_free(&now);
	return rc;
}

static int
run(struct ctl *c, const struct sv *before)
{
	struct lines l = { .n = 0 };
	struct client_reply r;
	bool started = true;
	int rc;

	look_for_log(c, &l, false);
	if ((rc = ctl_call(c, "Once", NAME, NULL, NULL, &r)) == CTL_OK) {
		(void)json_bool(&r.json, json_get(&r.json, r.params,
		    "started"), &started);
		if (!started)
			(void)fprintf(stderr, "svctl: a recovery is under "
			    "way; joining it\n");
		if (!c->no_wait)
			rc = watch(c, &l, before);
	}
	lines_close(&l);
	return rc;
}

int
svctl_recover(struct ctl *c)
{
	struct list before = { .sv = NULL };
	const struct sv *sv;
	int rc;

	if ((rc = ctl_subscribe(c)) != CTL_OK ||
	    (rc = ctl_list(c, NULL, 0, &before, false)) != CTL_OK)
		return rc;
	if ((sv = ctl_find(&before, NAME)) == NULL) {
		(void)fprintf(stderr, "svctl: this tree has no service "
		    "recover; copy it from the examples to %s, then svctl "
		    "reload\n", before.sup.services);
		rc = CTL_NO_SERVICE;
	} else {
		rc = run(c, sv);
	}
	ctl_list_free(&before);
	return rc;
}
