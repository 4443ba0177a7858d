/* SPDX-License-Identifier: ISC */
/*
 * The pure parts of svctl's setting up: compose files read, definitions
 * edited, the text of the job, what answers of servers mean.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "svctl_compose.h"
#include "svctl_doctor.h"
#include "svctl_edit.h"
#include "svctl_install.h"

static const char compose_text[] =
"# the stack\n"
"name: knowledge_os\n"
"x-common: &common\n"
"  restart: unless-stopped\n"
"services:\n"
"  db:\n"
"    image: postgres:16   # a comment\n"
"    container_name: 'knowledge_postgres'\n"
"    environment:\n"
"      - POSTGRES_PASSWORD=a#b\n"
"    healthcheck:\n"
"      test: [\"CMD\", \"pg_isready\"]\n"
"\n"
"  orchestrator:\n"
"    <<: *common\n"
"    container_name: \"knowledge_os_orchestrator\"\n"
"    restart: \"unless-stopped\"\n"
"    mem_limit: 4g\n"
"    command: |\n"
"      sh -c '\n"
"      container_name: not_this\n"
"      '\n"
"    environment:\n"
"      OLLAMA_URL: http://host.docker.internal:11434\n"
"  worker:\n"
"    deploy:\n"
"      resources:\n"
"        limits:\n"
"          memory: 2G\n"
"volumes:\n"
"  db:\n";

Test(compose, reads_what_a_service_directory_needs)
{
	static struct compose c;
	char err[COMPOSE_ERR_LEN], name[128];

	cr_assert_eq(compose_read(compose_text, strlen(compose_text), &c,
	    err), 0);
	cr_assert_str_eq(c.project, "knowledge_os");
	cr_assert_eq(c.n, 3);
	cr_assert_str_eq(c.service[0].name, "db");
	cr_assert_str_eq(c.service[0].container, "knowledge_postgres");
	cr_assert_not(c.service[0].memory);
	cr_assert_not(c.service[0].ollama);
	cr_assert_str_eq(c.service[1].container,
	    "knowledge_os_orchestrator");
	cr_assert_str_eq(c.service[1].restart, "unless-stopped");
	cr_assert(c.service[1].memory);
	cr_assert(c.service[1].ollama);
	cr_assert(c.service[2].memory);
	cr_assert_eq(compose_find(&c, "knowledge_postgres"), &c.service[0]);
	cr_assert_null(compose_find(&c, "nobody"));
	compose_container(&c, "/opt/x/docker-compose.yml", &c.service[2],
	    name, sizeof name);
	cr_assert_str_eq(name, "knowledge_os-worker-1");
	c.project[0] = '\0';
	compose_container(&c, "/opt/My Stack.2/docker-compose.yml",
	    &c.service[2], name, sizeof name);
	cr_assert_str_eq(name, "mystack2-worker-1");
}

Test(compose, refuses_what_it_does_not_understand_by_line)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{ "", "no services" },
		{ "a: b\n", "no services" },
		{ "services:\n\tdb:\n", "2: a tab" },
		{ "services: {a: {}}\n", "1: services in braces" },
		{ "services:\n  a: {image: x}\n", "2: a service in braces" },
		{ "{\"services\": {}}\n", "no services" },
	};
	static struct compose c;
	char err[COMPOSE_ERR_LEN];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		cr_assert_eq(compose_read(rows[i].text, strlen(rows[i].text),
		    &c, err), -1, "%s", rows[i].text);
		cr_assert_not_null(strstr(err, rows[i].reason), "%s: %s",
		    rows[i].text, err);
	}
}

Test(edit, sets_keys_and_keeps_comments)
{
	char text[1024] = "# head\n[service]\nexec = a\n#user = x\n"
	    "# user stories\n[port]\nnumber = 1\n";

	cr_assert_eq(edit_set(text, sizeof text, "service", "user",
	    "owner-of:/m"), 0);
	cr_assert_eq(edit_set(text, sizeof text, "service", "exec", "b c"),
	    0);
	cr_assert_eq(edit_set(text, sizeof text, "port", "policy",
	    "refuse"), 0);
	cr_assert_eq(edit_set(text, sizeof text, "health", "type", "tcp"),
	    0);
	cr_assert_str_eq(text, "# head\n[service]\nexec = b c\n"
	    "user = owner-of:/m\n# user stories\n[port]\n"
	    "policy = refuse\nnumber = 1\n\n[health]\ntype = tcp\n");
	/* A key that is set beats one that is commented out. */
	(void)strlcpy(text, "[a]\n#k = 1\nk = 2\n", sizeof text);
	cr_assert_eq(edit_set(text, sizeof text, "a", "k", "3"), 0);
	cr_assert_str_eq(text, "[a]\n#k = 1\nk = 3\n");
	cr_assert_eq(edit_set(text, 20, "a", "long", "0123456789"), -1);
	cr_assert_str_eq(text, "[a]\n#k = 1\nk = 3\n");
}

Test(job, paths_are_quoted_for_systemd_and_for_xml)
{
	struct job j = { .launchd = false, .system = true };
	char text[16384];

	(void)strlcpy(j.svtree, "/opt/my tree/svtree", sizeof j.svtree);
	(void)strlcpy(j.svctl, "/opt/100%/svctl", sizeof j.svctl);
	(void)strlcpy(j.services, "/a&b<c>", sizeof j.services);
	(void)strlcpy(j.home, "/Users/me", sizeof j.home);
	cr_assert_eq(install_text(&j, text, sizeof text), 0);
	cr_assert_not_null(strstr(text, "\nExecStart=\"/opt/my tree/svtree\" "
	    "/a&b<c>\n"));
	cr_assert_not_null(strstr(text, "\nExecReload=\"/opt/100%%/svctl\" "
	    "upgrade\n"));
	cr_assert_not_null(strstr(text, "\nKillMode=process\n"));
	cr_assert_null(strstr(text, "RuntimeDirectory"));
	j.launchd = true;
	j.system = false;
	cr_assert_eq(install_text(&j, text, sizeof text), 0);
	cr_assert_not_null(strstr(text, "<string>/a&amp;b&lt;c&gt;</string>"));
	cr_assert_eq(install_text(&j, text, 200), -1);
}

static enum result
tags(const char *body, const char *model, char *words)
{
	char *v[] = { (char *)model, NULL };
	struct conf_list models = { v, model != NULL ? 1 : 0 };

	return body_tags(body, strlen(body), &models, words, 256);
}

Test(body, models_tell_whether_it_is_the_right_user)
{
	static const char two[] = "{\"models\":[{\"name\":\"llama3.2:1b\"},"
	    "{\"name\":\"nomic-embed-text:latest\"}]}";
	char words[256];

	cr_assert_eq(tags(two, NULL, words), FINE);
	cr_assert_str_eq(words, "2 models");
	cr_assert_eq(tags(two, "llama3.2:1b", words), FINE);
	cr_assert_eq(tags(two, "nomic-embed-text", words), FINE);
	cr_assert_eq(tags(two, "llama3.2", words), BAD);
	cr_assert_eq(tags("{\"models\":[]}", NULL, words), BAD);
	cr_assert_not_null(strstr(words, "models: []"));
	cr_assert_eq(tags("{\"data\":[{\"id\":\"m\"}]}", "m", words), FINE);
	cr_assert_eq(tags("<html>", NULL, words), BAD);
	cr_assert_eq(tags("{}", NULL, words), BAD);
}

Test(body, a_busy_mlx_server_is_well)
{
	static const struct {
		const char *body;
		enum result result;
	} rows[] = {
		{ "{\"status\":\"healthy\"}", FINE },
		{ "{\"status\":\"degraded\"}", FINE },
		{ "{\"status\":\"warning\"}", WARN },
		{ "{\"status\":\"critical\"}", BAD },
		{ "{}", FINE }, { "ok", FINE },
	};
	char words[256];
	size_t i;

	for (i = 0; i < nitems(rows); i++)
		cr_assert_eq(body_mlx(rows[i].body, strlen(rows[i].body),
		    words, sizeof words), rows[i].result, "%s",
		    rows[i].body);
}

Test(port, is_found_in_addresses)
{
	static const struct {
		const char *text;
		long	 port;
	} rows[] = {
		{ "11434", 11434 }, { "127.0.0.1:11434", 11434 },
		{ "http://127.0.0.1:11434/x:9", 11434 },
		{ "http://[::1]:8080/", 8080 }, { "http://[::1]/", 0 },
		{ "http://host", 0 }, { "host", 0 }, { "70000", 0 },
		{ "0.0.0.0", 0 }, { "", 0 },
	};
	size_t i;

	for (i = 0; i < nitems(rows); i++)
		cr_assert_eq(port_in(rows[i].text), rows[i].port, "%s: %ld",
		    rows[i].text, port_in(rows[i].text));
}

Test(machine, knows_who_competes)
{
	cr_assert(machine_is_competitor("homebrew.mxcl.ollama"));
	cr_assert(machine_is_competitor("com.atra.mlx-monitor"));
	cr_assert(machine_is_competitor("com.atra.auto-recovery"));
	cr_assert(machine_is_competitor("*/5 * * * * /x/"
	    "system_auto_recovery.sh"));
	cr_assert_not(machine_is_competitor("org.svtree.host"));
	cr_assert_not(machine_is_competitor("com.apple.something"));
}

Test(body, an_answer_to_a_request_for_a_token_has_words)
{
	static const struct {
		const char *body, *words;
		enum result want;
	} rows[] = {
		{ "{\"response\":\"a\",\"done\":true}", "it brings a token",
		    FINE },
		{ "{\"choices\":[{\"text\":\"a\"}]}", "it brings a token",
		    FINE },
		{ "{\"error\":\"no such model\"}", "no such model", BAD },
		{ "{\"error\":{\"message\":\"bad key\",\"code\":401}}",
		    "bad key", BAD },
		{ "{}", "its answer holds no token", BAD },
		{ "<html>", "what it answers is no JSON", BAD },
	};
	char words[200];
	size_t i;

	for (i = 0; i < nitems(rows); i++) {
		words[0] = '\0';
		cr_expect_eq(body_token(rows[i].body, strlen(rows[i].body),
		    words, sizeof words), rows[i].want, "%s", rows[i].body);
		cr_expect_str_eq(words, rows[i].words, "%s", rows[i].body);
	}
}
