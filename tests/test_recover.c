/* SPDX-License-Identifier: ISC */
/* What recover concludes: who is left alone, asked, restarted. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "recover_plan.h"
#include "when.h"

static struct facts
service(const char *want, const char *state, const char *health)
{
	struct facts f = { .name = "x", .enabled = true };

	(void)snprintf(f.want, sizeof f.want, "%s", want);
	(void)snprintf(f.state, sizeof f.state, "%s", state);
	(void)snprintf(f.health, sizeof f.health, "%s", health);
	return f;
}

Test(recover, plan_follows_want_state_and_health)
{
	static const struct {
		const char	*want, *state, *health;
		bool		 can_probe;
		enum plan	 plan;
	} t[] = {
		{ "up", "DOWN", "unknown", false, PLAN_START },
		{ "up", "BACKOFF", "unknown", true, PLAN_START },
		{ "up", "TRIPPED", "failing", true, PLAN_START },
		{ "up", "WAITING", "unknown", true, PLAN_WAIT },
		{ "up", "STARTING", "unknown", true, PLAN_WAIT },
		{ "up", "STOPPING", "failing", true, PLAN_WAIT },
		{ "up", "FINISHING", "unknown", true, PLAN_WAIT },
		{ "up", "UNKNOWN", "unknown", true, PLAN_ALARM },
		{ "up", "UP", "ok", true, PLAN_PROBE },
		{ "up", "UP", "failing", true, PLAN_PROBE },
		{ "up", "UP", "unknown", true, PLAN_PROBE },
		{ "up", "UP", "busy", true, PLAN_TRUST },
		{ "up", "UP", "degraded", true, PLAN_TRUST },
		{ "up", "UP", "ok", false, PLAN_TRUST },
		{ "up", "UP", "unknown", false, PLAN_TRUST },
		{ "up", "UP", "failing", false, PLAN_RESTART },
		{ "down", "DOWN", "unknown", true, PLAN_LEAVE },
		{ "down", "STOPPING", "failing", true, PLAN_LEAVE },
		{ "once", "UP", "failing", true, PLAN_LEAVE },
	};
	struct facts f;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		f = service(t[i].want, t[i].state, t[i].health);
		cr_expect_eq(plan_of(&f, t[i].can_probe), t[i].plan,
		    "want %s, %s, %s", t[i].want, t[i].state, t[i].health);
	}
}

Test(recover, a_disabled_service_is_left_whatever_else_is_said)
{
	struct facts f = service("up", "TRIPPED", "failing");

	f.enabled = false;
	cr_expect_eq(plan_of(&f, true), PLAN_LEAVE);
	f.enabled = true;
	f.oneshot = true;
	cr_expect_eq(plan_of(&f, true), PLAN_SKIP);
}

Test(recover, only_the_dead_are_restarted_and_not_within_the_grace)
{
	const struct conf_health h = { .start_grace_ms = 60000,
	    .restart = true }, never = { .start_grace_ms = 60000 };
	const int64_t now = INT64_C(1700000000) * 1000000;
	struct facts f = service("up", "UP", "unknown");

	f.since_us = now - 61 * INT64_C(1000000);
	cr_expect_eq(plan_after(&f, &h, ANSWER_OK, now), STEP_HEALTHY);
	cr_expect_eq(plan_after(&f, &h, ANSWER_BUSY, now), STEP_HEALTHY);
	cr_expect_eq(plan_after(&f, &h, ANSWER_DEGRADED, now), STEP_HEALTHY);
	cr_expect_eq(plan_after(&f, &h, ANSWER_WRONG, now), STEP_HOPELESS);
	cr_expect_eq(plan_after(&f, &h, ANSWER_DEAD, now), STEP_RESTART);
	cr_expect_eq(plan_after(&f, &never, ANSWER_DEAD, now),
	    STEP_FORBIDDEN);
	f.since_us = now - 59 * INT64_C(1000000);
	cr_expect_eq(plan_after(&f, &h, ANSWER_DEAD, now), STEP_STARTING);
	/* It was well already: it does not start any more. */
	f = service("up", "UP", "ok");
	f.since_us = now - 59 * INT64_C(1000000);
	cr_expect_eq(plan_after(&f, &h, ANSWER_DEAD, now), STEP_RESTART);
}

Test(recover, times_are_read)
{
	cr_expect_eq(when_parse("1970-01-01T00:00:01Z"), 1000000);
	cr_expect_eq(when_parse("2026-11-24T16:00:00.250Z"),
	    INT64_C(1795536000250000));
	cr_expect_eq(when_parse("yesterday"), 0);
	cr_expect_eq(when_parse("2026-11-24T16:00:00"), 0);
}

Test(recover, who_waits_names_whom)
{
	struct facts f = service("up", "WAITING", "unknown");
	char name[CONF_NAME_MAX + 1];

	(void)snprintf(f.reason, sizeof f.reason,
	    "waits for ollama to be healthy");
	cr_expect(plan_waits_for(&f, name));
	cr_expect_str_eq(name, "ollama");
	(void)snprintf(f.reason, sizeof f.reason, "waits for docker");
	cr_expect(plan_waits_for(&f, name));
	cr_expect_str_eq(name, "docker");
	(void)snprintf(f.reason, sizeof f.reason, "killed by SIGKILL");
	cr_expect_not(plan_waits_for(&f, name));
}

Test(recover, events_tell_what_changed)
{
	static const char text[] = "{\"event\":\"state\",\"service\":\"x\","
	    "\"state\":\"BACKOFF\",\"want\":\"up\",\"health\":\"ok\","
	    "\"pid\":null,\"reason\":\"exited with code 1\"}";
	struct json_tok tok[64];
	char err[JSON_ERR_LEN];
	struct facts f;
	struct json j;

	cr_assert_eq(json_parse(&j, text, sizeof text - 1, tok, 64, err), 0);
	cr_expect_eq(facts_read_event(&f, &j, 0), 0);
	cr_expect_str_eq(f.state, "BACKOFF");
	cr_expect_str_eq(f.reason, "exited with code 1");
	cr_expect_eq(f.pid, 0);
}

static enum answer
judge(const char *type, int status, const char *body, char *model)
{
	char *models[] = { model, NULL };
	struct conf_health h = { .type = (char *)(uintptr_t)type,
	    .models = { models, model != NULL } };
	char words[RECOVER_WORDS];

	return plan_judge(&h, status, body, strlen(body), words);
}

Test(recover, an_answer_is_judged_by_the_type_of_the_server)
{
	static char tiny[] = "tiny";
	static const struct {
		const char	*type;
		int		 status;
		const char	*body;
		char		*model;
		enum answer	 answer;
	} t[] = {
		{ "ollama", 200, "{\"models\":[{\"name\":\"a:1b\"}]}", NULL,
		    ANSWER_OK },
		{ "ollama", 200, "{\"models\":[]}", NULL, ANSWER_WRONG },
		{ "ollama", 200, "{\"models\":[{\"name\":\"tiny:latest\"}]}",
		    tiny, ANSWER_OK },
		{ "ollama", 200, "{\"models\":[{\"name\":\"tiny2\"}]}", tiny,
		    ANSWER_WRONG },
		{ "ollama", 200, "Ollama is running", NULL, ANSWER_WRONG },
		{ "ollama", 503, "{}", NULL, ANSWER_BUSY },
		{ "ollama", 500, "{}", NULL, ANSWER_DEAD },
		{ "mlx", 200, "{\"status\":\"healthy\"}", NULL, ANSWER_OK },
		{ "mlx", 200, "{\"status\":\"degraded\"}", NULL,
		    ANSWER_BUSY },
		{ "mlx", 200, "{\"status\":\"critical\"}", NULL,
		    ANSWER_DEGRADED },
		{ "mlx", 200, "{\"status\":\"exploded\"}", NULL,
		    ANSWER_DEAD },
		{ "mlx", 200, "{\"models\":[]}", NULL, ANSWER_OK },
		{ "mlx", 429, "", NULL, ANSWER_BUSY },
		{ "mlx", 404, "", NULL, ANSWER_NONE },
		{ "openai", 200, "{\"data\":[{\"id\":\"tiny\"}]}", tiny,
		    ANSWER_OK },
		{ "openai", 200, "{\"data\":[]}", NULL, ANSWER_OK },
		{ "openai", 401, "", NULL, ANSWER_WRONG },
		{ "http", 204, "", NULL, ANSWER_OK },
		{ "http", 302, "", NULL, ANSWER_OK },
		{ "http", 500, "", NULL, ANSWER_DEAD },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(judge(t[i].type, t[i].status, t[i].body,
		    t[i].model), t[i].answer, "%s %d %s", t[i].type,
		    t[i].status, t[i].body);
}

Test(recover, the_paths_asked_are_those_of_the_type_or_of_the_file)
{
	struct conf_health h = { .type = (char *)(uintptr_t)"mlx" };

	cr_expect_str_eq(plan_path(&h, 0), "/health");
	cr_expect_str_eq(plan_path(&h, 1), "/api/tags");
	cr_expect_null(plan_path(&h, 2));
	h.live = (char *)(uintptr_t)"/alive";
	cr_expect_str_eq(plan_path(&h, 0), "/alive");
	cr_expect_null(plan_path(&h, 1));
	h.type = (char *)(uintptr_t)"exec";
	h.live = NULL;
	cr_expect_null(plan_path(&h, 0));
}
