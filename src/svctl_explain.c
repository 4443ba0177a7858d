/* SPDX-License-Identifier: ISC */
/*
 * svctl explain: in sentences, from the service that is asked about down to
 * the one at which it really hangs; what that one said last; what happens
 * next and what a person can do.
 */
#include <stdio.h>
#include <string.h>

#include "svctl.h"

#define CHAIN_MAX	16
#define TAIL_LINES	5

static const char *
after(const char *text)
{
	return text[0] != '\0' ? ": " : "";
}

static void
say(const struct term *t, const char *text)
{
	(void)ctl_put(stdout, t, text, 0);
	(void)fputc('\n', stdout);
}

/* How it is, against how it is wanted. */
static void
say_state(const struct term *t, const struct sv *sv)
{
	const char *glyph;
	enum hue hue = ctl_look(t, sv, &glyph);
	char age[32], text[800];

	ctl_ago(age, sizeof age, sv->since);
	if (ctl_is_up(sv) && ctl_is(sv->health, "failing"))
		(void)snprintf(text, sizeof text, "is UP for %s, but it does "
		    "not answer as it should%s%s", age,
		    after(sv->health_text), sv->health_text);
	else if (ctl_is_up(sv))
		(void)snprintf(text, sizeof text, "is UP for %s%s, health "
		    "%s%s%s", age, ctl_is(sv->want, "down") ? "" :
		    " as wanted", sv->health, after(sv->health_text),
		    sv->health_text);
	else if (ctl_is(sv->want, "down"))
		(void)snprintf(text, sizeof text, "is %s for %s because "
		    "nobody wants it up%s%s%s", sv->state, age,
		    after(sv->reason), sv->reason, sv->enabled ||
		    ctl_is(sv->reason, "disabled") ? "" : ", disabled");
	else
		(void)snprintf(text, sizeof text, "is wanted up, but is %s "
		    "for %s%s%s", sv->state, age, after(sv->reason),
		    sv->reason);
	(void)printf("%s%s%s ", ctl_hue(t, hue), sv->name,
	    ctl_hue(t, HUE_NONE));
	say(t, text);
}

/* It would be waited for for ever. */
static void
say_unasked(const struct list *all, const struct sv *need)
{
	if (ctl_is_up(need) && ctl_is(need->health, "unknown") &&
	    ctl_find(all, "health-monitor") == NULL)
		(void)printf("Nobody asks %s how it is: " UNPROBED_MEND "\n",
		    need->name);
}

/* Down the needs to the one that hangs by itself. */
static const struct sv *
follow(const struct term *t, const struct list *all, const struct sv *sv)
{
	const struct sv *need;
	bool healthy;
	int i;

	for (i = 0; i < CHAIN_MAX && ctl_is(sv->state, "WAITING"); i++) {
		if ((need = ctl_unmet(all, sv, &healthy)) == NULL)
			break;
		(void)printf("%s needs %s%s; ", sv->name, need->name, healthy ?
		    " to be healthy" : "");
		say_state(t, need);
		if (healthy)
			say_unasked(all, need);
		sv = need;
	}
	return sv;
}

static void
say_past(struct ctl *c, const struct term *t, const struct sv *sv)
{
	char text[512], words[400];

	if (sv->restarts > 0) {
		(void)snprintf(text, sizeof text, "It was restarted %lld "
		    "time%s.", (long long)sv->restarts, sv->restarts == 1 ?
		    "" : "s");
		say(t, text);
	}
	ctl_last_incident(c, sv->name, words, sizeof words);
	if (words[0] != '\0') {
		(void)snprintf(text, sizeof text, "What went wrong last, %s",
		    words);
		say(t, text);
	}
	if (ctl_port_words(words, sizeof words, sv)) {
		(void)snprintf(text, sizeof text, "Its port is %s", words);
		say(t, text);
	}
}

static void
say_line(void *arg, const char *line, size_t len)
{
	const struct term *t = arg;
	char text[2048];

	while (len > 0 && line[len - 1] == '\n')
		len--;
	(void)snprintf(text, sizeof text, "%.*s", (int)len, line);
	(void)fputs("  | ", stdout);
	(void)ctl_put(stdout, t, text, t->width > 8 ? t->width - 4 : 0);
	(void)fputc('\n', stdout);
}

static void
say_log(struct ctl *c, struct term *t, const struct sv *sv)
{
	char dir[1024];

	if ((ctl_is_up(sv) && !ctl_is(sv->health, "failing")) ||
	    ctl_is(sv->want, "down") ||
	    ctl_log_dir(c, sv->name, dir, sizeof dir) < 0)
		return;
	(void)printf("%s said last:\n", sv->name);
	(void)ctl_last_lines(dir, TAIL_LINES, say_line, t);
}

static void
explain(struct ctl *c, const struct list *all, const struct sv *sv)
{
	struct term t = ctl_term(stdout);
	char text[256];

	say_state(&t, sv);
	sv = follow(&t, all, sv);
	say_past(c, &t, sv);
	say_log(c, &t, sv);
	ctl_next_step(text, sizeof text, sv);
	if (text[0] != '\0')
		(void)printf("Next for %s: %s\n", sv->name, text);
	ctl_advice(text, sizeof text, sv);
	if (text[0] != '\0')
		(void)printf("You can: %s\n", text);
}

int
svctl_explain(struct ctl *c)
{
	struct list all = { .sv = NULL };
	const struct sv *sv;
	int i, rc;

	if ((rc = ctl_expand(c)) != CTL_OK ||
	    (rc = ctl_fetch(c, c->name, c->n, NULL, NULL, c->json)) != CTL_OK
	    || (rc = ctl_list(c, NULL, 0, &all, false)) != CTL_OK)
		return rc;
	for (i = 0; i < c->n; i++) {
		if ((sv = ctl_find(&all, c->name[i])) == NULL)
			continue;
		if (!ctl_is_up(sv))
			rc = CTL_NOT_RUNNING;
		if (c->json || c->quiet)
			continue;
		if (i > 0)
			(void)fputc('\n', stdout);
		explain(c, &all, sv);
	}
	ctl_list_free(&all);
	return rc;
}
