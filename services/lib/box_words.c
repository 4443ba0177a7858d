/* SPDX-License-Identifier: ISC */
/*
 * Conclusions on a container's death in words, and the advice that goes with
 * each. It concludes nothing itself.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "box.h"

#define MIB	(INT64_C(1) << 20)
#define GIB	(INT64_C(1) << 30)

void
size_words(int64_t bytes, char *dst, size_t cap)
{
	if (bytes >= GIB && bytes % GIB == 0)
		(void)snprintf(dst, cap, "%" PRId64 " GiB", bytes / GIB);
	else if (bytes >= GIB)
		(void)snprintf(dst, cap, "%.1f GiB",
		    (double)bytes / (double)GIB);
	else
		(void)snprintf(dst, cap, "%" PRId64 " MiB", bytes / MIB);
}

static const char *
ordinal(int n)
{
	if (n % 100 >= 11 && n % 100 <= 13)
		return "th";
	switch (n % 10) {
	case 1:
		return "st";
	case 2:
		return "nd";
	case 3:
		return "rd";
	default:
		return "th";
	}
}

static void
oom_what(const struct box *b, int64_t limit, const char *subject, char *dst,
    size_t cap)
{
	char size[24], bound[40] = "", times[40] = "";
	int n = box_ooms(b);

	size_words(limit, size, sizeof size);
	if (limit > 0)
		(void)snprintf(bound, sizeof bound, " (limit %s)", size);
	else if (limit == 0)
		(void)snprintf(bound, sizeof bound, " (no limit)");
	if (n > 1)
		(void)snprintf(times, sizeof times, ", %d%s time in %d min",
		    n, ordinal(n), BOX_PERIOD_S / 60);
	(void)snprintf(dst, cap, "%s %s killed by the kernel for memory%s%s",
	    subject, b->name, bound, times);
}

/* Without a limit it was the whole machine, or Docker's VM, that was full. */
static const char *
oom_advice(int64_t limit)
{
	if (limit != 0)
		return "raise the limit, or Docker's VM when that is smaller";
	return "give Docker's VM more memory, or run less in it";
}

void
death_words(enum death d, const struct box *b, int64_t limit, char *what,
    size_t whatcap, char *advice, size_t cap)
{
	const char *hint = "";

	*what = '\0';
	switch (d) {
	case DEATH_OOM:
		oom_what(b, limit, "container", what, whatcap);
		hint = oom_advice(limit);
		break;
	case DEATH_CHILD:
		oom_what(b, limit, "process in container", what, whatcap);
		hint = oom_advice(limit);
		break;
	case DEATH_DELIBERATE:
		if (b->hard)
			(void)snprintf(what, whatcap, "container %s was "
			    "killed by order (docker kill)", b->name);
		else
			(void)snprintf(what, whatcap, "container %s was "
			    "stopped by order (exit code %d)", b->name,
			    b->exit_code);
		break;
	case DEATH_UNKNOWN:
		(void)snprintf(what, whatcap, "container %s got SIGKILL, not "
		    "by its limit and not through Docker", b->name);
		hint = "Docker's VM ran out of memory, or something inside "
		    "killed it";
		break;
	case DEATH_OTHER:
		(void)snprintf(what, whatcap, "container %s exited with %d",
		    b->name, b->exit_code);
		break;
	}
	(void)snprintf(advice, cap, "%s", hint);
}

void
loop_words(const struct loop *l, const struct box *b, char *dst, size_t cap)
{
	char span[24];

	if (l->min_s == l->max_s)
		(void)snprintf(span, sizeof span, "%d", l->max_s);
	else
		(void)snprintf(span, sizeof span, "%d-%d", l->min_s, l->max_s);
	(void)snprintf(dst, cap, "container %s died %d times within %d min, "
	    "each %s s after start: restarting will not heal it, %s",
	    b->name, l->deaths, BOX_PERIOD_S / 60, span,
	    l->ooms * 2 >= l->deaths ?
	    "it needs more memory to start at all" : "see its log");
}
