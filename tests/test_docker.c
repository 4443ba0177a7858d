/* SPDX-License-Identifier: ISC */
/* Tests of what is read from a container engine: events, containers, and the
 * place of its socket. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "docker.h"

#define ID "4346aa"

static int
parse(const char *line, struct docker_event *e)
{
	return docker_parse_event(line, strlen(line), e);
}

Test(event, reads_both_spellings)
{
	static const char *const lines[] = {
		/* before API 1.52 */
		"{\"status\":\"die\",\"id\":\"" ID "\",\"from\":\"hog:1\","
		"\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":"
		"\"" ID "\",\"Attributes\":{\"exitCode\":\"137\",\"image\":"
		"\"hog:1\",\"name\":\"box\"}},\"scope\":\"local\",\"time\":"
		"1795477301,\"timeNano\":1795477301310332243}",
		/* since */
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{\"ID\":"
		"\"" ID "\",\"Attributes\":{\"execDuration\":\"3\","
		"\"exitCode\":\"137\",\"name\":\"box\"}},"
		"\"timeNano\":1795477301310332243}",
		/* Podman */
		"{\"status\":\"died\",\"id\":\"" ID "\",\"Type\":"
		"\"container\",\"Action\":\"died\",\"Actor\":{\"ID\":\"" ID
		"\",\"Attributes\":{\"containerExitCode\":\"137\",\"name\":"
		"\"box\"}},\"timeNano\":1795477301310332243}",
		/* only the first spelling */
		"{\"status\":\"die\",\"id\":\"" ID "\",\"Actor\":{"
		"\"Attributes\":{\"exitCode\":137,\"name\":\"box\"}},"
		"\"timeNano\":1795477301310332243}",
	};
	struct docker_event e;
	size_t i;

	for (i = 0; i < nitems(lines); i++) {
		cr_assert_eq(parse(lines[i], &e), 0, "line %zu", i);
		cr_expect_str_eq(e.action, "die");
		cr_expect_str_eq(e.name, "box");
		cr_expect_str_eq(e.id, ID);
		cr_expect_eq(e.exit_code, 137, "line %zu: %d", i, e.exit_code);
		cr_expect_eq(e.signo, 0);
		cr_expect_not(e.oom);
		cr_expect_eq(e.time_ns, INT64_C(1795477301310332243));
	}
}

static void
expect(const char *action, const char *attributes, int exit_code, int signo,
    bool oom)
{
	char line[1024];
	struct docker_event e;

	(void)snprintf(line, sizeof line, "{\"Type\":\"container\",\"Action\":"
	    "\"%s\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{%s}},"
	    "\"time\":7}", action, attributes);
	cr_assert_eq(parse(line, &e), 0, "%s", line);
	cr_expect_eq(e.exit_code, exit_code, "%s: %d", line, e.exit_code);
	cr_expect_eq(e.signo, signo, "%s: %d", line, e.signo);
	cr_expect_eq(e.oom, oom, "%s", line);
	cr_expect_eq(e.time_ns, INT64_C(7000000000));
}

Test(event, labels_pollute_the_attributes)
{
	/* A label is read only where the action could have brought it. */
	expect("start", "\"exitCode\":\"1\",\"signal\":\"9\"", -1, 0, false);
	expect("kill", "\"exitCode\":\"1\",\"signal\":\"9\"", -1, 9, false);
	expect("die", "\"exitCode\":\"1\",\"signal\":\"9\"", 1, 0, false);
	/* ... and never as what it cannot be. */
	expect("die", "\"exitCode\":\"production\"", -1, 0, false);
	expect("die", "\"exitCode\":\"4096\"", -1, 0, false);
	expect("die", "\"exitCode\":\"\"", -1, 0, false);
	expect("die", "\"exitCode\":{\"a\":[1]}", -1, 0, false);
	expect("kill", "\"signal\":\"-9\"", -1, 0, false);
	expect("kill", "\"signal\":\"9 lives\"", -1, 0, false);
	expect("die", "\"a\\u0000b\":\"\\u0000\",\"exitCode\":\"3\"", 3, 0,
	    false);
	expect("die", "\"OOMKilled\":\"true\",\"exitCode\":\"137\"", 137, 0,
	    true);
	expect("oom", "\"OOMKilled\":\"true\"", -1, 0, false);
}

Test(event, health_keeps_its_verdict)
{
	struct docker_event e;

	cr_assert_eq(parse("{\"Type\":\"container\",\"Action\":"
	    "\"health_status: unhealthy\",\"Actor\":{\"ID\":\"x\","
	    "\"Attributes\":{\"name\":\"box\"}},\"timeNano\":1}", &e), 0);
	cr_expect_str_eq(e.action, "health_status: unhealthy");
}

Test(event, thousands_of_labels_are_read_past)
{
	size_t len = 0, cap = 200 << 10;
	char *line = malloc(cap);
	struct docker_event e;
	int i;

	len += (size_t)snprintf(line, cap, "{\"Type\":\"container\","
	    "\"Action\":\"die\",\"Actor\":{\"ID\":\"" ID
	    "\",\"Attributes\":{");
	for (i = 0; i < 5000; i++)
		len += (size_t)snprintf(line + len, cap - len,
		    "\"label.%d\":\"value %d\",", i, i);
	(void)snprintf(line + len, cap - len, "\"name\":\"box\","
	    "\"exitCode\":\"9\"}},\"timeNano\":5}");
	cr_assert_eq(parse(line, &e), 0);
	cr_expect_str_eq(e.name, "box");
	cr_expect_eq(e.exit_code, 9);
	free(line);
}

Test(event, refuses_what_is_none)
{
	static const char *const lines[] = {
		"", "{", "[]", "7", "null", "{}",
		"{\"Type\":\"container\"}",
		"{\"Type\":\"network\",\"Action\":\"connect\",\"Actor\":{"
		"\"ID\":\"x\",\"Attributes\":{\"name\":\"n\"}},\"timeNano\":1}",
		"{\"Type\":\"container\",\"Action\":\"die\"}",
		"{\"Type\":\"container\",\"Action\":\"die\"} garbage",
		"{\"Type\":\"container\",\"Action\":7,\"Actor\":{\"ID\":"
		"\"x\"}}",
	};
	struct docker_event e;
	char *line;
	size_t i;

	for (i = 0; i < nitems(lines); i++)
		cr_expect_eq(parse(lines[i], &e), -1, "%s", lines[i]);
	line = malloc(HTTP_LINE_MAX + 3);
	(void)memset(line, ' ', HTTP_LINE_MAX + 2);
	line[0] = '{';
	cr_expect_eq(docker_parse_event(line, HTTP_LINE_MAX + 2, &e), -1);
	free(line);
}

Test(event, overlong_names_are_no_names)
{
	char line[1024];
	struct docker_event e;

	(void)snprintf(line, sizeof line, "{\"Type\":\"container\",\"Action\":"
	    "\"die\",\"Actor\":{\"ID\":\"" ID "\",\"Attributes\":{\"name\":"
	    "\"%0200d\"}},\"timeNano\":1}", 0);
	cr_assert_eq(parse(line, &e), 0);
	cr_expect_str_eq(e.name, "");
	cr_expect_str_eq(e.id, ID);
}

/* --- one container */

Test(container, is_read)
{
	static const char text[] = "{\"Id\":\"" ID "\",\"Name\":\"/box\","
	    "\"State\":{\"Status\":\"restarting\",\"Running\":true,"
	    "\"Restarting\":true,\"OOMKilled\":true,\"ExitCode\":137,"
	    "\"Error\":\"no such image\",\"StartedAt\":"
	    "\"2026-01-02T03:04:05.123456789Z\",\"Health\":{\"Status\":"
	    "\"unhealthy\",\"FailingStreak\":3}},\"RestartCount\":6,"
	    "\"HostConfig\":{\"Memory\":17179869184,\"RestartPolicy\":{"
	    "\"Name\":\"on-failure\",\"MaximumRetryCount\":5}}}";
	char err[DOCKER_ERR_LEN] = "";
	struct docker_container c;

	cr_assert_eq(docker_parse_container(text, strlen(text), &c, err), 0,
	    "%s", err);
	cr_expect(c.exists);
	cr_expect_str_eq(c.id, ID);
	cr_expect_str_eq(c.status, "restarting");
	cr_expect(c.oom);
	cr_expect_eq(c.exit_code, 137);
	cr_expect_eq(c.restarts, 6);
	cr_expect_str_eq(c.health, "unhealthy");
	cr_expect_str_eq(c.policy, "on-failure");
	cr_expect_eq(c.policy_max, 5);
	cr_expect_str_eq(c.error, "no such image");
	cr_expect_str_eq(c.started, "2026-01-02T03:04:05.123456789Z");
	cr_expect_eq(c.memory, INT64_C(17179869184));
}

Test(container, without_state_is_an_error)
{
	static const char *const texts[] = {
		"", "{}", "[]", "{\"State\":\"running\"}",
		"{\"State\":{\"Status\":\"\"}}", "{\"State\":{}} x",
	};
	char err[DOCKER_ERR_LEN];
	struct docker_container c;
	size_t i;

	for (i = 0; i < nitems(texts); i++) {
		err[0] = '\0';
		cr_expect_eq(docker_parse_container(texts[i],
		    strlen(texts[i]), &c, err), -1, "%s", texts[i]);
		cr_expect_not(c.exists);
		cr_expect_str_not_empty(err);
	}
}

/* --- output */

static char output[512], stamps[512];

static void
on_output(void *arg, const char *stamp, const char *bytes, size_t n)
{
	size_t len = strlen(output);

	(void)arg;
	(void)snprintf(output + len, sizeof output - len, "%.*s", (int)n,
	    bytes);
	if (strcmp(stamps, stamp) != 0)
		(void)snprintf(stamps, sizeof stamps, "%s", stamp);
}

#define STAMP_1 "2026-01-02T03:04:05.123456789Z"
#define STAMP_2 "2026-01-02T03:04:05.123456790Z"

/* The lengths, 36 and 41, hold a newline in neither head nor text. */
static const char pieces[] = "\1\0\0\0\0\0\0\044" STAMP_1 " one\n\n"
    "\2\0\0\0\0\0\0\051" STAMP_2 " two\nthree\n";

Test(output, is_the_same_in_whatever_pieces_it_comes)
{
	struct docker_logs l;
	size_t size, at, n, len = sizeof pieces - 1;

	for (size = 1; size <= len; size++) {
		l = (struct docker_logs){ .on_output = on_output };
		output[0] = stamps[0] = '\0';
		for (at = 0; at < len; at += n) {
			n = size < len - at ? size : len - at;
			docker_logs_feed(&l, pieces + at, n);
		}
		cr_expect_str_eq(output, "one\n\ntwo\nthree\n", "%zu: %s",
		    size, output);
		cr_expect_str_eq(stamps, STAMP_2);
	}
}

Test(output, nonsense_is_borne)
{
	static const char odd[][12] = {
		"\1\0\0\0\0\0\0\0",		/* empty piece */
		"\1\0\0\0\0\0\0\2ab",	/* shorter than a stamp */
		"\1\0\0\0\377\377\377\377",	/* 4 GiB */
	};
	struct docker_logs l;
	size_t i;

	for (i = 0; i < nitems(odd); i++) {
		l = (struct docker_logs){ .on_output = on_output };
		output[0] = '\0';
		docker_logs_feed(&l, odd[i], i == 1 ? 10 : 8);
		if (i < 2)
			docker_logs_feed(&l, pieces, sizeof pieces - 1);
		cr_expect_str_eq(output, i < 2 ? "one\n\ntwo\nthree\n" : "",
		    "%zu: %s", i, output);
	}
}

Test(output, of_a_terminal_is_raw)
{
	struct docker_logs l = { .tty = true, .on_output = on_output };

	docker_logs_feed(&l, "a\r\n", 3);
	cr_expect_str_eq(output, "a\r\n");
	cr_expect_str_eq(stamps, "");
}

/* --- the socket */

static char dir[64];

static void
enter_home(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/svdock.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	(void)setenv("HOME", dir, 1);
	(void)unsetenv("DOCKER_HOST");
	(void)unsetenv("DOCKER_CONTEXT");
	(void)unsetenv("DOCKER_CONFIG");
	(void)unsetenv("XDG_RUNTIME_DIR");
}

static void
leave_home(void)
{
	char command[128];

	(void)snprintf(command, sizeof command, "rm -rf %s", dir);
	cr_expect_eq(system(command), 0);
}

/* The path below the home, with its directories made. */
static const char *
below(const char *tail)
{
	static char path[256];
	char *slash = path;

	(void)snprintf(path, sizeof path, "%s/%s", dir, tail);
	while ((slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	return path;
}

static void
put_file(const char *tail, const char *text)
{
	FILE *f = fopen(below(tail), "w");

	cr_assert_not_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static int
put_socket(const char *tail, bool listening)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sun.sun_path, sizeof sun.sun_path, "%s", below(tail));
	cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
	if (listening)
		cr_assert_eq(listen(fd, 4), 0);
	return fd;
}

Test(find, passes_over_a_dead_socket, .init = enter_home, .fini = leave_home)
{
	struct docker d = { .api = "" };
	char err[DOCKER_ERR_LEN] = "";

	(void)put_socket(".docker/run/docker.sock", false);
	(void)put_socket(".colima/default/docker.sock", true);
	cr_assert_eq(docker_find(&d, NULL, err), 0, "%s", err);
	cr_expect_str_eq(d.socket, below(".colima/default/docker.sock"));
}

Test(find, follows_the_context, .init = enter_home, .fini = leave_home)
{
	struct docker d = { .api = "" };
	char err[DOCKER_ERR_LEN] = "", text[512];

	(void)put_socket(".colima/default/docker.sock", true);
	(void)put_socket("work/d.sock", true);
	put_file(".docker/config.json", "{\"currentContext\":\"work\"}");
	put_file(".docker/contexts/meta/1f/meta.json", "{\"Name\":\"other\","
	    "\"Endpoints\":{\"docker\":{\"Host\":\"unix:///nowhere\"}}}");
	(void)snprintf(text, sizeof text, "{\"Name\":\"work\",\"Endpoints\":"
	    "{\"docker\":{\"Host\":\"unix://%s\"}}}", below("work/d.sock"));
	put_file(".docker/contexts/meta/2e/meta.json", text);
	cr_assert_eq(docker_find(&d, NULL, err), 0, "%s", err);
	cr_expect_str_eq(d.socket, below("work/d.sock"));
	(void)setenv("DOCKER_CONTEXT", "default", 1);
	cr_assert_eq(docker_find(&d, NULL, err), 0, "%s", err);
	cr_expect_str_eq(d.socket, below(".colima/default/docker.sock"));
}

Test(find, what_a_person_says_is_all_that_counts, .init = enter_home,
    .fini = leave_home)
{
	struct docker d = { .api = "" };
	char err[DOCKER_ERR_LEN] = "", address[300];

	(void)put_socket(".colima/default/docker.sock", true);
	(void)put_socket("mine", true);
	cr_expect_eq(docker_find(&d, "/nowhere/at/all", err), -1);
	cr_expect_not_null(strstr(err, "/nowhere/at/all"), "%s", err);
	(void)snprintf(address, sizeof address, "unix://%s", below("mine"));
	(void)setenv("DOCKER_HOST", address, 1);
	cr_expect_eq(docker_find(&d, NULL, err), 0, "%s", err);
	cr_expect_str_eq(d.socket, below("mine"));
	(void)setenv("DOCKER_HOST", "tcp://10.0.0.1:2375", 1);
	cr_expect_eq(docker_find(&d, NULL, err), -1);
	cr_expect_not_null(strstr(err, "UNIX socket"), "%s", err);
}

Test(container, the_last_words_of_its_healthcheck_are_kept_on_one_line)
{
	static const char text[] = "{\"State\":{\"Status\":\"running\","
	    "\"Health\":{\"Status\":\"unhealthy\",\"Log\":[{\"Output\":"
	    "\"old\"},{\"ExitCode\":1,\"Output\":\"no\\nsuch\\u001b "
	    "table\\n\\n\"}]}},\"HostConfig\":{\"LogConfig\":{\"Type\":"
	    "\"json-file\",\"Config\":{}}}}";
	static const char bounded[] = "{\"State\":{\"Status\":\"running\"},"
	    "\"HostConfig\":{\"LogConfig\":{\"Type\":\"json-file\","
	    "\"Config\":{\"max-size\":\"10m\"}}}}";
	char err[DOCKER_ERR_LEN] = "";
	struct docker_container c;

	cr_assert_eq(docker_parse_container(text, strlen(text), &c, err), 0,
	    "%s", err);
	cr_expect_str_eq(c.said, "no such  table");
	cr_expect(c.endless_log);
	cr_assert_eq(docker_parse_container(bounded, strlen(bounded), &c,
	    err), 0, "%s", err);
	cr_expect_str_eq(c.said, "");
	cr_expect(!c.endless_log);
}
