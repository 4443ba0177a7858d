/* SPDX-License-Identifier: ISC */
/*
 * What stands behind the listener's answers: two services, one that is up
 * and the recovery; counted deeds; a mark in all that only some may see.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "feed.h"
#include "fuzz.h"
#include "history.h"
#include "http_fakes.h"
#include "metrics.h"
#include "probes.h"
#include "view.h"

static const char status_text[] = "{\"supervisor\":{},\"services\":[\""
    FUZZ_MARK "\"]}";
static int64_t now_ms = 3600000;
static int deeds;

int64_t
fuzz_now_ms(void)
{
	return now_ms;
}

void
fuzz_pass(int64_t ms)
{
	now_ms += ms;
}

void
fuzz_begin(void)
{
	fuzz_pass(3600000);
	deeds = 0;
}

int
fuzz_deeds(void)
{
	return deeds;
}

/* Millions of inputs would fill a disk with what they caused. */
void
fuzz_log(const char *format, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(line, sizeof line, format, ap);
	va_end(ap);
}

/* --- view.h */

int
view_refresh(int max_age_ms, char *err)
{
	(void)max_age_ms;
	(void)err;
	return 0;
}

const char *
view_text(size_t *len)
{
	*len = sizeof status_text - 1;
	return status_text;
}

static void
make(struct seen *sv, const char *name)
{
	*sv = (struct seen){ .enabled = true, .oneshot = name[0] == 'r',
	    .pid = name[0] == 'r' ? 0 : 4711 };
	(void)snprintf(sv->name, sizeof sv->name, "%s", name);
	(void)snprintf(sv->want, sizeof sv->want, "%s", name[0] == 'r' ?
	    "down" : "up");
	(void)snprintf(sv->state, sizeof sv->state, "%s", name[0] == 'r' ?
	    "DOWN" : "UP");
}

void
view_services(view_each *each, void *arg)
{
	static const char *const names[] = { "ollama", "recover" };
	struct seen sv;
	size_t i;

	for (i = 0; i < nitems(names); i++) {
		make(&sv, names[i]);
		each(arg, &sv);
	}
}

bool
view_find(const char *name, struct seen *sv)
{
	if (strcmp(name, "ollama") != 0 && strcmp(name, "recover") != 0)
		return false;
	make(sv, name);
	return true;
}

int
view_call(const char *method, const char *name, const char *reason,
    bool *started, char *err)
{
	(void)reason;
	(void)err;
	PROMISE(strcmp(method, "Once") == 0 || strcmp(method, "Restart") ==
	    0 || strcmp(method, "Start") == 0, "the deed %s", method);
	PROMISE(strcmp(name, "ollama") == 0 || strcmp(name, "recover") == 0,
	    "a deed to %s", name);
	if (started != NULL)
		*started = true;
	deeds++;
	return 0;
}

int
view_offline(const char **text, size_t *len, char *err)
{
	(void)text;
	(void)len;
	(void)err;
	return -1;
}

size_t
view_log(const char *dir, const char *name, char *dst, size_t cap)
{
	PROMISE(strcmp(dir, "/log") == 0, "a log of %s", dir);
	PROMISE(*name != '\0' && *name != '.' && strchr(name, '/') == NULL,
	    "a log called %s", name);
	(void)snprintf(dst, cap, "one\ntwo %s\n", FUZZ_MARK);
	return strlen(dst);
}

/* --- what only prints */

bool
feed_is_live(void)
{
	return true;
}

void
feed_message(struct buf *b, const char *name, const char *json, size_t len)
{
	buf_printf(b, "event: %s\ndata: %.*s %s\n\n", name, (int)len, json,
	    FUZZ_MARK);
}

void
feed_put_incidents(struct buf *b)
{
	buf_puts(b, "[\"" FUZZ_MARK "\"]");
}

void
history_put(struct buf *b, int64_t now_us)
{
	(void)now_us;
	buf_puts(b, FUZZ_MARK);
}

void
probes_refresh(void)
{
}

void
probes_put(struct buf *b, int64_t now_s)
{
	(void)now_s;
	buf_puts(b, FUZZ_MARK);
}

void
metrics_put(struct buf *b, bool open, bool up, const struct counts *c)
{
	(void)open;
	(void)up;
	(void)c;
	buf_puts(b, FUZZ_MARK);
}
