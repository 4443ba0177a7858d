/* SPDX-License-Identifier: ISC */
/* Which of Ollama's models are idle. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "oom_models.h"

#define NOW_US	(INT64_C(1780000000) * 1000000)	/* 2026-05-28T20:26:40Z */

static struct models
list(const char *name, const char *expires)
{
	char text[512];
	struct models m;

	(void)snprintf(text, sizeof text, "{\"models\":[{\"name\":\"%s\","
	    "\"model\":\"x\",\"size\":1,\"details\":{\"families\":[\"a\"]},"
	    "\"expires_at\":\"%s\",\"size_vram\":1}]}", name, expires);
	cr_assert_eq(models_parse(&m, text, strlen(text)), 0);
	cr_assert_eq(m.n, 1);
	return m;
}

Test(oom_models, times_are_read_with_fraction_and_zone)
{
	static const struct {
		const char	*text;
		int64_t		 want;
	} t[] = {
		{ "2026-05-28T20:26:40Z", NOW_US },
		{ "2026-05-28T20:26:40.123456789Z", NOW_US },
		{ "2026-05-28T22:26:40+02:00", NOW_US },
		{ "2026-05-28T13:26:40.5-07:00", NOW_US },
		{ "2318-09-07T20:26:40Z", NOW_US + INT64_C(106752) *
		    86400 * 1000000 },
		{ "1970-01-01T00:00:01Z", 1000000 },
		{ "", -1 }, { "soon", -1 }, { "2026-05-28", -1 },
		{ "2026-05-28T20:26:40", -1 },
		{ "2026-05-28T20:26:40+2", -1 },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(models_time(t[i].text), t[i].want, "%s: %lld",
		    t[i].text, (long long)models_time(t[i].text));
}

Test(oom_models, idle_is_a_later_expiry_that_stands_still)
{
	static const struct {
		const char	*before_name, *before, *now;
		int		 idle;
	} t[] = {
		{ "m", "2026-05-28T20:30:00Z", "2026-05-28T20:30:00Z", 1 },
		{ "m", "2318-09-07T00:00:00Z", "2318-09-07T00:00:00Z", 1 },
		/* moves with the clock: at its first request */
		{ "m", "2026-05-28T20:31:39Z", "2026-05-28T20:31:40Z", 0 },
		/* outlives its expiry: at work */
		{ "m", "2026-05-28T20:20:00Z", "2026-05-28T20:20:00Z", 0 },
		/* was not there before */
		{ "n", "2026-05-28T20:30:00Z", "2026-05-28T20:30:00Z", 0 },
		{ "m", "never", "never", 0 },
	};
	struct models before, now;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		before = list(t[i].before_name, t[i].before);
		now = list("m", t[i].now);
		models_idle(&now, &before, NOW_US);
		cr_expect_eq(now.n, t[i].idle, "row %zu", i);
	}
}

Test(oom_models, what_is_no_list_is_refused)
{
	static const struct {
		const char	*text;
		int		 rc, n;
	} t[] = {
		{ "", -1, 0 }, { "[]", -1, 0 }, { "{}", -1, 0 },
		{ "{\"models\":null}", -1, 0 },
		{ "{\"models\":\"all\"}", -1, 0 },
		{ "{\"models\":[]}", 0, 0 },
		{ "{\"models\":[{},7,{\"name\":\"a\"}]}", 0, 0 },
		{ "{\"models\":[{\"name\":\"a\",\"expires_at\":\"b\"}]}", 0,
		    1 },
	};
	struct models m;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		cr_expect_eq(models_parse(&m, t[i].text, strlen(t[i].text)),
		    t[i].rc, "%s", t[i].text);
		cr_expect_eq(m.n, t[i].n, "%s", t[i].text);
	}
}
