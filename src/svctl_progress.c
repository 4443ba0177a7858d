/* SPDX-License-Identifier: ISC */
/*
 * What a verb waits for, told on standard error: a line that turns on a
 * terminal; else, when it takes long, a line each time that the words change.
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

#define TURN_MS		100
#define PATIENCE_MS	1000	/* not a word before this */

void
ctl_progress_begin(struct progress *p, const struct ctl *c)
{
	struct term t = ctl_term(stderr);

	memset(p, 0, sizeof *p);
	p->terminal = t.terminal && t.colour;
	p->began_ms = ctl_now_ms();
	/* As if all had been told already. */
	if (c->quiet)
		p->began_ms = INT64_MAX;
}

int64_t
ctl_progress_ms(const struct progress *p)
{
	return p->terminal ? TURN_MS : PATIENCE_MS;
}

static void
turn(struct progress *p, const char *words, int64_t for_ms)
{
	static const char *const utf8[] = { "⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦",
	    "⠧", "⠇", "⠏" };
	static const char *const ascii[] = { "|", "/", "-", "\\" };
	struct term t = ctl_term(stderr);
	size_t step = (size_t)(for_ms / TURN_MS);
	char text[640], age[32];

	ctl_duration(age, sizeof age, for_ms);
	(void)snprintf(text, sizeof text, "%s (%s)", words, age);
	(void)fprintf(stderr, "\r\033[K%s%s%s ", ctl_hue(&t, HUE_BUSY),
	    t.utf8 ? utf8[step % nitems(utf8)] : ascii[step % nitems(ascii)],
	    ctl_hue(&t, HUE_NONE));
	(void)ctl_put(stderr, &t, text, t.width > 4 ? t.width - 3 : 0);
	p->drawn = true;
}

void
ctl_progress_show(struct progress *p, const char *words)
{
	int64_t for_ms = ctl_now_ms() - p->began_ms;

	if (for_ms < 0)
		return;
	if (p->terminal) {
		turn(p, words, for_ms);
	} else if (for_ms >= PATIENCE_MS && strcmp(p->told, words) != 0) {
		(void)fprintf(stderr, "svctl: %s\n", words);
		(void)snprintf(p->told, sizeof p->told, "%s", words);
	}
}

void
ctl_progress_clear(struct progress *p)
{
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}
