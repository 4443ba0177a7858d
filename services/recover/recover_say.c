/* SPDX-License-Identifier: ISC */
/*
 * What the steps of a branch have in common: its words, its end, its probe.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os.h"
#include "recover_branch.h"

void
branch_say(const struct branch *b, const char *fmt, ...)
{
	va_list ap;

	(void)printf("%s: ", b->f.name);
	va_start(ap, fmt);
	(void)vprintf(fmt, ap);
	va_end(ap);
	(void)putchar('\n');
}

void
branch_finish(struct branch *b, enum outcome outcome, const char *why)
{
	b->phase = PH_DONE;
	b->outcome = outcome;
	if (why != b->why)
		(void)snprintf(b->why, sizeof b->why, "%s", why);
}

bool
branch_is(const struct branch *b, const char *state)
{
	return strcmp(b->f.state, state) == 0;
}

bool
branch_can_probe(const struct branch *b)
{
	return b->conf != NULL && probe_can(b->conf->health);
}

int64_t
branch_cpu(const struct branch *b)
{
	uint64_t rss, cpu = 0;

	if (b->f.pid <= 0 ||
	    os_group_usage((pid_t)b->f.pid, &rss, &cpu) < 0)
		return 0;
	return (int64_t)cpu;
}

void
branch_ask(struct branch *b, int64_t now_ms)
{
	b->attempts++;
	b->asked_pid = b->f.pid;
	b->began_ms = now_ms;
	b->cpu_ms = branch_cpu(b);
	probe_start(&b->probe, b->conf->health, now_ms);
}

void
branch_fail(struct branch *b, const char *what, const char *advice)
{
	branch_say(b, "%s; %s", what, advice);
	branch_finish(b, OUT_FAILED, what);
}

void
branch_well(struct branch *b)
{
	static const char *const words[] = {
		[ANSWER_NONE] = "", [ANSWER_OK] = "answers",
		[ANSWER_BUSY] = "busy, so it is left alone",
		[ANSWER_DEGRADED] = "answers, but is degraded",
		[ANSWER_WRONG] = "", [ANSWER_DEAD] = "",
	};

	branch_say(b, "%s%s%s%s", words[b->probe.answer],
	    b->probe.words[0] != '\0' ? " (" : "", b->probe.words,
	    b->probe.words[0] != '\0' ? ")" : "");
	branch_finish(b, OUT_HEALTHY, "");
}
