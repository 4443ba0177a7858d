/* SPDX-License-Identifier: ISC */
/*
 * Verdicts and their evidence in words. What matters most stands first: a
 * record keeps about 70 bytes.
 */
#include <stdio.h>

#include "health_words.h"

static const struct {
	const char	*name, *health;
} words[VERDICT_COUNT] = {
	[VERDICT_UNKNOWN] = { "unknown", "unknown" },
	[VERDICT_STARTING] = { "starting", "unknown" },
	[VERDICT_LOADING] = { "loading", "busy" },
	[VERDICT_READY] = { "ready", "ok" },
	[VERDICT_BUSY] = { "busy", "busy" },
	[VERDICT_DEGRADED] = { "degraded", "degraded" },
	[VERDICT_WEDGED] = { "wedged", "failing" },
	[VERDICT_DEAD] = { "dead", "failing" },
	[VERDICT_FOREIGN] = { "foreign", "failing" },
};

const char *
verdict_name(enum verdict v)
{
	return words[v].name;
}

const char *
verdict_health(enum verdict v, bool was_ready)
{
	/* Who loads and has never served anybody is not there yet. */
	if (v == VERDICT_LOADING && !was_ready)
		return "unknown";
	return words[v].health;
}

void
words_time(char *dst, size_t cap, int64_t ms)
{
	if (ms % 1000 != 0 && ms < 10000)
		(void)snprintf(dst, cap, "%lld ms", (long long)ms);
	else if (ms < 120000)
		(void)snprintf(dst, cap, "%lld s", (long long)(ms / 1000));
	else
		(void)snprintf(dst, cap, "%lld min", (long long)(ms / 60000));
}

static void
put_count(char *dst, size_t cap, int n)
{
	if (n == 1)
		(void)snprintf(dst, cap, "once");
	else
		(void)snprintf(dst, cap, "%d times", n);
}

void
words_good(char *dst, size_t cap, const struct probe *p)
{
	if (p->status != 0)
		(void)snprintf(dst, cap, "%s: %d in %d ms%s%s", p->what,
		    p->status, p->elapsed_ms, p->detail[0] != '\0' ? ", " :
		    "", p->detail);
	else
		(void)snprintf(dst, cap, "%s: good in %d ms%s%s", p->what,
		    p->elapsed_ms, p->detail[0] != '\0' ? ", " : "",
		    p->detail);
}

void
words_answer(char *dst, size_t cap, const struct probe *p)
{
	const char *colon = p->detail[0] != '\0' ? ": " : "";

	if (p->status != 0)
		(void)snprintf(dst, cap, "%s: %d%s%s", p->what, p->status,
		    colon, p->detail);
	else
		(void)snprintf(dst, cap, "%s%s%s", p->what, colon, p->detail);
}

void
words_failure(char *dst, size_t cap, const struct probe *p, int64_t timeout_ms,
    int times)
{
	char count[24], limit[24];

	put_count(count, sizeof count, times);
	words_time(limit, sizeof limit, timeout_ms);
	if (p->out == OUT_SILENT)
		(void)snprintf(dst, cap, "hung: no answer to %s within %s, %s",
		    p->what, limit, count);
	else if (p->out == OUT_REFUSED)
		(void)snprintf(dst, cap, "dead: nobody listens (%s), %s",
		    p->what, count);
	else if (p->status != 0)
		(void)snprintf(dst, cap, "fails: %s answers %d, %s: %s",
		    p->what, p->status, count, p->detail);
	else
		(void)snprintf(dst, cap, "fails: %s, %s: %s", p->what, count,
		    p->detail);
}
