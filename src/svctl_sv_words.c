/* SPDX-License-Identifier: ISC */
/*
 * The words of sv(8), and how it writes the state of a service. Nothing is
 * asked here.
 */
#include <stdio.h>
#include <string.h>

#include "os.h"
#include "svctl_sv.h"

#define SETTLE_US	150000

/* Whole words first; of the others the first letter counts. */
static const struct sv_word words[] = {
	{ "start",		0, "u", true, false },
	{ "stop",		0, "d", true, false },
	{ "reload",		0, "h", true, false },
	{ "restart",		0, "tcu", true, false },
	{ "shutdown",		0, "x", true, false },
	{ "force-stop",		0, "d", true, true },
	{ "force-reload",	0, "tc", true, true },
	{ "force-restart",	0, "tcu", true, true },
	{ "force-shutdown",	0, "x", true, true },
	{ "try-restart",	0, "tc", true, false },
	{ "check",		0, "C", true, false },
	{ NULL, 's', "s", false, false },	/* status */
	{ NULL, 'u', "u", false, false },	/* up */
	{ NULL, 'd', "d", false, false },	/* down */
	{ NULL, 'o', "o", false, false },	/* once */
	{ NULL, 'p', "p", false, false },	/* pause */
	{ NULL, 'c', "c", false, false },	/* cont */
	{ NULL, 'h', "h", false, false },	/* hup */
	{ NULL, 'a', "a", false, false },	/* alarm */
	{ NULL, 'i', "i", false, false },	/* interrupt */
	{ NULL, 'q', "q", false, false },	/* quit */
	{ NULL, '1', "1", false, false },
	{ NULL, '2', "2", false, false },
	{ NULL, 't', "t", false, false },	/* term */
	{ NULL, 'k', "k", false, false },	/* kill */
	{ NULL, 'x', "x", false, false },	/* exit, in two spellings */
	{ NULL, 'e', "x", false, false },
	{ NULL, 'D', "d", true, true },
	{ NULL, 'T', "tc", true, true },
	{ NULL, 'X', "x", true, true },
	{ NULL, 'E', "x", true, true },
};

const struct sv_word *
sv_word_find(const char *text)
{
	size_t i;

	/* The words that begin with these letters are whole ones or wrong. */
	for (i = 0; i < nitems(words); i++)
		if (words[i].name != NULL ? strcmp(words[i].name, text) == 0 :
		    words[i].letter == text[0])
			return &words[i];
	return NULL;
}

static const struct sv_deed deeds[] = {
	{ 'u', "Start", NULL }, { 'd', "Stop", NULL }, { 'x', "Stop", NULL },
	{ 'o', "Once", NULL }, { 'p', "Signal", "STOP" },
	{ 'c', "Signal", "CONT" }, { 'h', "Signal", "HUP" },
	{ 'a', "Signal", "ALRM" }, { 'i', "Signal", "INT" },
	{ 'q', "Signal", "QUIT" }, { '1', "Signal", "USR1" },
	{ '2', "Signal", "USR2" }, { 't', "Signal", "TERM" },
	{ 'k', "Signal", "KILL" },
};

const struct sv_deed *
sv_deed_find(char act)
{
	size_t i;

	for (i = 0; i < nitems(deeds); i++)
		if (deeds[i].act == act)
			return &deeds[i];
	return NULL;
}

void
sv_put_params(struct buf *b, const struct sv_target *t, const char *method,
    const char *signal)
{
	json_open(b, '{');
	json_set_str(b, "name", t->name);
	if (signal != NULL)
		json_set_str(b, "signal", signal);
	if (strcmp(method, "Once") == 0)	/* as runsv: what runs is it */
		json_set_bool(b, "last", true);
	json_close(b, '}');
}

static bool
is_running(const struct sv *sv)
{
	return sv->pid > 0 && !ctl_is(sv->state, "FINISHING");
}

static bool
is_another(const struct sv_target *t)
{
	return t->now.pid != t->before.pid;
}

/* Up, and not gone again at once: a program that dies right after its start
 * was not started. */
static bool
is_up(const struct sv *sv)
{
	int64_t since = ctl_time_us(sv->since);

	return ctl_is_up(sv) && (since < 0 || os_wall_us() < since ||
	    os_wall_us() - since >= SETTLE_US);
}

static enum sv_effect
yes_if(bool so)
{
	return so ? SV_YES : SV_NO;
}

enum sv_effect
sv_effect(const struct sv_target *t, char act)
{
	const struct sv *sv = &t->now;
	bool down = ctl_is(sv->state, "DOWN");
	bool up = is_up(sv);

	switch (act) {
	case 'u':
		return up ? SV_IF_CHECK : SV_NO;
	case 'C':
		if (ctl_is(sv->want, "down"))
			return yes_if(down);
		return up ? SV_IF_CHECK : SV_NO;
	case 'd':
	case 'x':
		return yes_if(down);
	case 't':
	case 'k':
		if (down && ctl_is(sv->want, "down"))
			return SV_YES;
		return up && is_another(t) ? SV_IF_CHECK : SV_NO;
	case 'o':
		return yes_if(is_running(sv) || !ctl_is(sv->exit_at,
		    t->before.exit_at));
	case 'p':
		return yes_if(!is_running(sv) || sv->paused);
	case 'c':
		return yes_if(!is_running(sv) || !sv->paused);
	default:
		return SV_YES;
	}
}

static long long
seconds(const struct sv *sv)
{
	int64_t since = ctl_time_us(sv->since);

	if (since < 0 || os_wall_us() < since)
		return 0;
	return (long long)((os_wall_us() - since) / 1000000);
}

void
sv_put_status(const struct sv *sv, const char *label, bool normally_up)
{
	bool finishing = ctl_is(sv->state, "FINISHING");
	bool running = is_running(sv);

	if (running)
		(void)printf("run: %s: (pid %lld) %llds", label,
		    (long long)sv->pid, seconds(sv));
	else
		(void)printf("%s: %s: %llds", finishing ? "finish" : "down",
		    label, seconds(sv));
	if (running && !normally_up)
		(void)fputs(", normally down", stdout);
	if (!running && normally_up)
		(void)fputs(", normally up", stdout);
	if (running && sv->paused)
		(void)fputs(", paused", stdout);
	if (!running && ctl_is(sv->want, "up"))
		(void)fputs(", want up", stdout);
	if (running && !ctl_is(sv->want, "up"))
		(void)fputs(", want down", stdout);
	if (running && ctl_is(sv->state, "STOPPING"))
		(void)fputs(", got TERM", stdout);
}
