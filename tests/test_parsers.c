/* SPDX-License-Identifier: ISC */
/*
 * The corners of the parsers: what the tests of their own do not reach, so
 * that each branch is taken (./dev coverage). Calls that can fail are made to
 * fail by the linker's --wrap.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "buf.h"
#include "docker.h"
#include "feed_words.h"
#include "guard.h"
#include "http_sink.h"
#include "json.h"
#include "json_check.h"
#include "machine.h"
#include "os.h"
#include "record.h"
#include "web_head.h"
#include "when.h"

/* --- failing calls: the n-th call from now on fails, and those behind it */

static int memory_left = INT_MAX, io_left = INT_MAX;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
ssize_t __real_pwrite(int fd, const void *p, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *p, size_t n, off_t at);
int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_os_boot_id(char *dst);
int __wrap_os_boot_id(char *dst);
int __real_os_preallocate(int fd, off_t size);
int __wrap_os_preallocate(int fd, off_t size);

int __real_os_cloexec(int fd);
int __wrap_os_cloexec(int fd);
int __real_os_nonblock(int fd);
int __wrap_os_nonblock(int fd);
int __real_setsockopt(int fd, int level, int name, const void *v,
    socklen_t len);
int __wrap_setsockopt(int fd, int level, int name, const void *v,
    socklen_t len);
int __real_bind(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *sa, socklen_t len);
int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

static bool
fails(int *left, int e)
{
	if (*left == INT_MAX || (*left)-- > 0)
		return false;
	*left = 0;
	errno = e;
	return true;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails(&memory_left, ENOMEM) ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t size)
{
	return fails(&memory_left, ENOMEM) ? NULL : __real_realloc(p, size);
}

static ssize_t short_write = -1;	/* what pwrite says instead */

ssize_t
__wrap_pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (fails(&io_left, EIO))
		return short_write;
	return __real_pwrite(fd, p, n, at);
}

int
__wrap_ftruncate(int fd, off_t size)
{
	return fails(&io_left, EIO) ? -1 : __real_ftruncate(fd, size);
}

int
__wrap_fstat(int fd, struct stat *st)
{
	return fails(&io_left, EIO) ? -1 : __real_fstat(fd, st);
}

int
__wrap_os_boot_id(char *dst)
{
	return fails(&io_left, EIO) ? -1 : __real_os_boot_id(dst);
}

int
__wrap_os_preallocate(int fd, off_t size)
{
	return fails(&io_left, ENOSPC) ? -1 : __real_os_preallocate(fd, size);
}

int
__wrap_os_cloexec(int fd)
{
	return fails(&io_left, EIO) ? -1 : __real_os_cloexec(fd);
}

int
__wrap_os_nonblock(int fd)
{
	return fails(&io_left, EIO) ? -1 : __real_os_nonblock(fd);
}

int
__wrap_setsockopt(int fd, int level, int name, const void *v, socklen_t len)
{
	return fails(&io_left, EIO) ? -1 : __real_setsockopt(fd, level, name,
	    v, len);
}

int
__wrap_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	return fails(&io_left, EIO) ? -1 : __real_bind(fd, sa, len);
}

int
__wrap_listen(int fd, int backlog)
{
	return fails(&io_left, EIO) ? -1 : __real_listen(fd, backlog);
}

/* --- JSON */

static const char *
check(const char *text, size_t len)
{
	size_t at;

	return json_check(text, len, 8, &at);
}

Test(parsers, json_is_refused_for_its_own_reason)
{
	static const struct {
		const char *text, *why;
	} t[] = {
		{ "1E5", NULL }, { "1e-5", NULL }, { "1e+5", NULL },
		{ "\"\\u00zz\"", "bad \\u escape" },
		{ "\"\\u00Ff\"", NULL }, { "\"\\u12", "bad \\u escape" },
		{ "\"\\", "text ends in a string" },
		{ "\"\\q\"", "unknown escape" },
		{ "\"\\uffff\"", NULL }, { "\"\\ud7ff\"", NULL },
		{ "\"\\ue000\"", NULL },
		{ "\"\\udfff\"", "half a surrogate pair" },
		{ "\"\\udc00\"", "half a surrogate pair" },
		{ "\"\\ud800\\n\"", "half a surrogate pair" },
		{ "\"\\ud800x\"", "half a surrogate pair" },
		{ "\"\\ud800\\ue000\"", "half a surrogate pair" },
		{ "\"\\ud800\\udbff\"", "half a surrogate pair" },
		{ "\"\\udbff\\udfff\"", NULL },
		{ "\"\x7f\"", NULL }, { "\"\xc2\x80\"", NULL },
		{ "\"\xdf\xbf\"", NULL }, { "\"\xe0\xa0\x80\"", NULL },
		{ "\"\xed\x9f\xbf\"", NULL }, { "\"\xee\x80\x80\"", NULL },
		{ "\"\xf0\x90\x80\x80\"", NULL },
		{ "\"\xf1\x80\x80\x80\"", NULL },
		{ "\"\xf4\x8f\xbf\xbf\"", NULL },
		{ "\"\xe0\x9f\x80\"", "not UTF-8" },
		{ "\"\xed\xa0\x80\"", "not UTF-8" },
		{ "\"\xf0\x8f\x80\x80\"", "not UTF-8" },
		{ "\"\xf4\x90\x80\x80\"", "not UTF-8" },
		{ "\"\xf5\x80\x80\x80\"", "not UTF-8" },
		{ "\"\xc1\x80\"", "not UTF-8" }, { "\"\xc2", "not UTF-8" },
		{ "\"\xc2\"\"", "not UTF-8" }, { "\"\x80\"", "not UTF-8" },
		{ "\"\x1f\"", "control character in a string" },
		{ "false", NULL }, { "fals", "no value" },
		{ "falsx", "no value" }, { "null", NULL },
		{ "[false,null,true]", NULL },
		{ "\t\r\n 1", NULL }, { "-", "not a number" },
		{ "[[[[[[[[[", "nested too deep" },
	};
	const char *why;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		why = check(t[i].text, strlen(t[i].text));
		if (t[i].why == NULL)
			cr_expect_null(why, "%s: %s", t[i].text, why);
		else
			cr_expect_str_eq(why != NULL ? why : "taken",
			    t[i].why, "%s", t[i].text);
	}
	cr_expect_str_eq(check("\"\\\0\"", 4), "unknown escape");
	cr_expect_str_eq(check("\"\\u0\0" "00\"", 8), "bad \\u escape");
	cr_expect_eq(json_utf8((const unsigned char *)"a", 0), 0);
	cr_expect_eq(json_utf8((const unsigned char *)"a", 1), 1);
}

static struct json_tok tok[64];

static void
parse(struct json *j, const char *text)
{
	char err[JSON_ERR_LEN];

	cr_assert_eq(json_parse(j, text, strlen(text), tok, 64, err), 0, "%s",
	    err);
}

Test(parsers, json_strings_come_back_as_bytes)
{
	struct json j;
	char s[64];
	size_t n;

	parse(&j, "[\"\\u00e9\\u20ac\\ud83d\\ude00\\uffff\",\"\",\"\\u0041\"]");
	cr_assert_eq(json_str(&j, 1, s, sizeof s), 0);
	cr_expect_str_eq(s, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf");
	cr_expect_eq(json_str(&j, 1, s, 5), -1, "no room for the last");
	cr_expect_str_eq(s, "");
	cr_expect_eq(json_str(&j, 2, s, 0), -1, "not even for the end");
	cr_expect(json_is(&j, 3, "A"));
	cr_expect_not(json_is(&j, 3, "B"));
	cr_expect_not(json_is(&j, 0, "A"));
	cr_expect_str_eq(json_raw(&j, 99, &n), "");
	cr_expect_eq(n, 0);
	json_raw(&j, 0, &n);
	cr_expect_eq(n, strlen(j.text));
	json_raw(&j, 2, &n);
	cr_expect_eq(n, 2);
}

Test(parsers, json_names_are_read_and_compared)
{
	struct json j;
	char s[16];
	int v;

	parse(&j, "{\"a\\u0062\":1,\"\\u0000\":2,\"c\":[3]}");
	v = json_first(&j, 0);
	cr_expect_eq(json_name(&j, v, s, sizeof s), 0);
	cr_expect_str_eq(s, "ab");
	cr_expect(json_name_is(&j, v, "ab"));
	cr_expect_not(json_name_is(&j, v, "abc"));
	cr_expect_not(json_name_is(&j, 0, "ab"), "the whole has no name");
	cr_expect_not(json_name_is(&j, 1, "ab"), "what is before is no string");
	cr_expect_eq(json_name(&j, v, s, 2), -1);
	cr_expect_str_eq(s, "");
	cr_expect_eq(json_name(&j, v, s, 0), -1);
	cr_expect_eq(json_name(&j, 0, s, sizeof s), -1);
	cr_expect_eq(json_name(&j, 1, s, sizeof s), -1);
	cr_expect_eq(json_get(&j, 0, "ab"), v);
	v = json_next(&j, 0, v);
	cr_expect_eq(json_name(&j, v, s, sizeof s), -1, "a NUL");
	cr_expect_not(json_name_is(&j, v, ""));
	v = json_get(&j, 0, "c");
	cr_expect_eq(json_next(&j, v, json_first(&j, v)), -1);
	cr_expect_eq(json_next(&j, 99, 1), -1);
	cr_expect_eq(json_next(&j, 0, 99), -1);
	cr_expect_eq(json_count(&j, -1), 0);
	cr_expect_eq(json_count(&j, 1), 0, "a string");
	cr_expect_eq(json_get(&j, v, "c"), -1, "a list has no names");
}

Test(parsers, json_paths_and_numbers_are_bounded)
{
	char path[200], err[JSON_ERR_LEN];
	int64_t n = 7;
	struct json j;
	bool b;

	parse(&j, "[1.5,123456789012345678901234567890123,true,false,null,"
	    "99999999999999999999,\"1\",{}]");
	cr_expect_eq(json_int(&j, 1, &n), -1, "a fraction");
	cr_expect_eq(json_int(&j, 2, &n), -1, "many digits");
	cr_expect_eq(json_int(&j, 6, &n), -1, "too large");
	cr_expect_eq(json_int(&j, 7, &n), -1, "a string");
	cr_expect_eq(n, 7);
	cr_expect_eq(json_bool(&j, 3, &b), 0);
	cr_expect(b);
	cr_expect_eq(json_bool(&j, 4, &b), 0);
	cr_expect_not(b);
	cr_expect_eq(json_bool(&j, 5, &b), -1);
	cr_expect_eq(json_kind(&j, 5), JSON_NULL);
	cr_expect_eq(json_kind(&j, 8), JSON_OBJECT);
	cr_expect_eq(json_kind(&j, -1), JSON_ABSENT);
	cr_expect_eq(json_kind(&j, 9), JSON_ABSENT);
	(void)memset(path, 'a', sizeof path);
	path[sizeof path - 1] = '\0';
	cr_expect_eq(json_path(&j, 0, path), -1);
	cr_expect_eq(json_parse(&j, "1", (size_t)INT_MAX + 1, tok, 64, err),
	    -1);
	cr_expect_str_eq(err, "too long");
	cr_expect_eq(json_parse(&j, "[1]", 3, tok, 1, err), -1);
	cr_expect_str_eq(err, "more than 1 values");
}

Test(parsers, json_is_written_with_its_commas_and_times)
{
	char mem[512];
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	json_open(&b, '[');
	json_put_str(&b, "a\x7f\xc3\xa9\x01\n\\\"\xff");
	json_put_strn(&b, "a\0b", 3);
	json_put_int(&b, -12);
	json_put_raw(&b, "{}", 2);
	json_put_time(&b, 1);
	json_put_time(&b, 2000001);		/* the same day */
	json_put_time(&b, INT64_MAX);		/* far away */
	json_put_time(&b, 0);
	json_put_time(&b, INT64_C(253402300800000000)); /* the year 10000 */
	json_open(&b, '{');
	json_set_some(&b, "none", 0);
	json_set_some(&b, "some", 3);
	json_close(&b, '}');
	json_close(&b, ']');
	cr_expect_str_eq(buf_cstr(&b), "[\"a\\u007f\xc3\xa9\\u0001\\n\\\\\\\""
	    "\xef\xbf\xbd\",\"a\\u0000b\",-12,{},"
	    "\"1970-01-01T00:00:00.000Z\",\"1970-01-01T00:00:02.000Z\","
	    "null,null,null,{\"none\":null,\"some\":3}]");
	buf_reset(&b);
	buf_puts(&b, "1,");
	json_put_int(&b, 2);
	buf_putc(&b, '\n');		/* a message ends: no comma */
	json_put_bool(&b, true);
	buf_putc(&b, '\0');
	json_put_bool(&b, false);
	cr_expect_eq(b.len, strlen("1,2\ntrue") + 1 + strlen("false"));
	cr_expect_eq(memcmp(b.base, "1,2\ntrue\0false", b.len), 0);
	buf_init(&b, mem, 3);
	json_key(&b, "long");
	cr_expect(b.overflow);
}

/* --- bytes */

Test(parsers, a_buffer_never_overruns)
{
	char mem[8], long_text[1100];
	struct buf b;

	(void)memset(long_text, 'x', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	buf_init(&b, mem, 0);
	cr_expect_eq(buf_cstr(&b), b.base);
	cr_expect(b.overflow);
	buf_init(&b, mem, sizeof mem);
	buf_printf(&b, "%s", long_text);
	cr_expect(b.overflow);
	cr_expect_eq(b.len, 0);
	buf_reset(&b);
	/* No such character in the C locale. */
	buf_printf(&b, "%lc", (wint_t)0x20ac);
	cr_expect(b.overflow);
	buf_reset(&b);
	buf_put(&b, "", 0);
	buf_puts(&b, "abcdefgh");
	cr_expect_not(b.overflow);
	buf_putc(&b, 'i');
	cr_expect(b.overflow);
	buf_consume(&b, 6);
	cr_expect_str_eq(buf_cstr(&b), "gh");
	buf_consume(&b, 3);
	cr_expect_eq(b.len, 0);
	buf_puts(&b, "abcdefgh");
	cr_expect_str_eq(buf_cstr(&b), "abcdefg");
	buf_fit(mem, sizeof mem, "\x80\x80\x80\x80\x80\x80\x80\x80\x80");
	cr_expect_str_eq(mem, "...", "nothing but the insides of characters");
}

/* --- Docker */

static int
event(const char *text, struct docker_event *e)
{
	return docker_parse_event(text, strlen(text), e);
}

Test(parsers, docker_s_numbers_are_bounded)
{
	static const char die[] = "{\"Action\":\"die\",\"id\":\"x\",\"Actor\":{"
	    "\"Attributes\":{\"exitCode\":\"1\",\"OOMKilled\":%s}},%s}";
	char text[256];
	static const struct {
		const char *oom, *time;
		bool is_oom;
		int64_t ns;
	} t[] = {
		{ "\"true\"", "\"time\":3", true, 3000000000 },
		{ "true", "\"time\":-1", true, 0 },
		{ "false", "\"time\":99999999999999", false, 0 },
		{ "\"no\"", "\"time\":\"x\"", false, 0 },
	};
	struct docker_container c;
	char err[DOCKER_ERR_LEN];
	struct docker_event e;
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		(void)snprintf(text, sizeof text, die, t[i].oom, t[i].time);
		cr_assert_eq(event(text, &e), 0, "%s", text);
		cr_expect_eq(e.oom, t[i].is_oom, "%s", text);
		cr_expect_eq(e.time_ns, t[i].ns, "%s", text);
	}
	(void)snprintf(text, sizeof text, "{\"Id\":\"x\",\"State\":{\"Status\":"
	    "\"up\",\"ExitCode\":99999999999,\"Health\":{\"Status\":\"none\","
	    "\"Log\":[{\"Output\":\" \\n\"}]}}"
	    ",\"RestartCount\":-99999999999}");
	cr_assert_eq(docker_parse_container(text, strlen(text), &c, err), 0,
	    "%s", err);
	cr_expect_eq(c.exit_code, 0);
	cr_expect_eq(c.restarts, 0);
	cr_expect_str_eq(c.health, "");
	cr_expect_str_eq(c.said, "", "blanks alone");
	(void)snprintf(text, sizeof text, "{\"Id\":\"x\",\"State\":{\"Status\":"
	    "\"up\",\"Health\":{\"Log\":[{\"Output\":\"a\\u007fb\"}]}}}");
	cr_assert_eq(docker_parse_container(text, strlen(text), &c, err), 0,
	    "%s", err);
	cr_expect_str_eq(c.said, "a b");
	memory_left = 0;
	cr_expect_eq(docker_parse_container(text, strlen(text), &c, err), -1);
	cr_expect_str_eq(err, "out of memory");
	memory_left = INT_MAX;
}

/* --- answers by HTTP */

static int lines;

static void
count_line(void *arg, const char *line, size_t n)
{
	(void)arg;
	(void)line;
	lines += n > 0;
}

Test(parsers, an_answer_without_memory_ends)
{
	struct sink s = { .max = 100000, .line = count_line };

	memory_left = 0;
	cr_expect_eq(sink_body(&s, "x", 1), -1);
	cr_expect_not(s.cut);
	cr_expect_eq(sink_lines(&s, "x\n", 2), -1);
	memory_left = INT_MAX;
	cr_expect_eq(sink_lines(&s, "x\n", 2), 0);
	cr_expect_eq(lines, 1);
	s.muted = true;
	cr_expect_eq(sink_lines(&s, "y\n\n", 3), 0);
	cr_expect_eq(lines, 1, "nobody listens");
	s.raw = true;
	cr_expect_eq(sink_lines(&s, "y\n", 2), 0);
	cr_expect_eq(lines, 1);
	s.muted = false;
	cr_expect_eq(sink_lines(&s, "y\n", 2), 0);
	cr_expect_eq(lines, 2);
	sink_free(&s);
}

/* --- the listener */

static void
put_chars(char *dst, size_t n, char c)
{
	(void)memset(dst, c, n);
	dst[n] = '\0';
}

Test(parsers, tokens_and_hosts_have_limits)
{
	char err[GUARD_ERR_LEN], text[512], word[GUARD_TOKEN_MAX + 2];
	struct tokens t;
	struct hosts h;
	int i;

	cr_expect_eq(tokens_parse(&t, "azAZ09-._~azAZ09", err), 0);
	put_chars(word, GUARD_TOKEN_MAX, 'a');
	cr_expect_eq(tokens_parse(&t, word, err), 0);
	put_chars(word, GUARD_TOKEN_MAX + 1, 'a');
	cr_expect_eq(tokens_parse(&t, word, err), -1);
	for (i = 1; i < 256; i++) {
		put_chars(word, GUARD_TOKEN_MIN, 'a');
		word[3] = (char)i;
		if (strchr(" \t\r\n,", i) != NULL)
			continue;
		cr_expect_eq(tokens_parse(&t, word, err) == 0,
		    (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') ||
		    (i >= '0' && i <= '9') || strchr("-._~", i) != NULL,
		    "character %d", i);
	}
	cr_expect_eq(tokens_parse(&t, ",\t# all\r\n", err), -1);
	cr_assert_eq(tokens_parse(&t, "0123456789abcdef", err), 0);
	/* Base64 of more bytes than any pair may have. */
	put_chars(text, 500, 'A');
	(void)memcpy(text, "Basic ", 6);
	cr_expect_not(guard_is_trusted(&t, text, "/", &(const char *){ NULL }));
	cr_expect_not(guard_is_trusted(&t, "Basic QUFB", "/",
	    &(const char *){ NULL }));
	cr_expect_not(guard_is_trusted(&t, "Basic QQ!", "/",
	    &(const char *){ NULL }));
	hosts_init(&h);
	put_chars(text, GUARD_HOST_MAX, 'h');
	cr_expect_eq(hosts_add(&h, text), -1, "long");
	cr_expect_not(guard_host(&h, text));
	while (h.n < GUARD_HOSTS)
		cr_assert_eq(hosts_add(&h, "more"), 0);
	cr_expect_eq(hosts_add(&h, "more"), -1, "full");
}

static struct web_request rq;
static struct web_seen seen;

static void
see(const char *name, const char *value)
{
	struct web_seen none = { 0 };

	web_begin(&rq, "POST", "/", "HTTP/1.1");
	seen = none;
	web_see(&rq, &seen, name, value);
	web_seen_all(&rq, &seen);
}

Test(parsers, a_header_means_one_thing)
{
	static const char *const once[] = { "Host", "Origin",
	    "Sec-Fetch-Site", "Authorization", "Content-Length" };
	static const struct {
		const char *name, *value;
		bool doubled, too_long, chunked;
	} t[] = {
		{ "Content-Length", "5", false, false, false },
		{ "content-length", "4097", false, true, false },
		{ "Content-Length", "", true, false, false },
		{ "Content-Length", "/", true, false, false },
		{ "Content-Length", ":", true, false, false },
		{ "Content-Length", "5, 5", true, false, false },
		{ "Content-Length ", "5", true, false, false },
		{ "X\tY", "5", true, false, false },
		{ "Transfer-Encoding", "gzip", false, false, true },
		{ "Accept", NULL, false, false, false },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		see(t[i].name, t[i].value);
		cr_expect_eq(rq.doubled, t[i].doubled, "%s: %s", t[i].name,
		    t[i].value);
		cr_expect_eq(rq.too_long, t[i].too_long);
		cr_expect_eq(rq.chunked, t[i].chunked);
		cr_expect_not(rq.old);
	}
	for (i = 0; i < nitems(once); i++) {
		see(once[i], "1");
		cr_expect_not(rq.doubled, "%s", once[i]);
		web_see(&rq, &seen, once[i], "1");
		web_seen_all(&rq, &seen);
		cr_expect(rq.doubled, "%s", once[i]);
	}
	see("Host", "a");
	rq.doubled = true;
	web_seen_all(&rq, &seen);
	cr_expect(rq.doubled, "it stays so");
	web_begin(&rq, "GET", "/", "HTTP/1.0");
	cr_expect(rq.old);
}

Test(parsers, answers_bear_the_headers_that_fit)
{
	struct web_reply r = { .type = "text/plain", .ask = true,
	    .retry_after = 7 };
	const char *name, *value;
	bool asked = false, later = false;
	int i;

	for (i = 0; web_header(&r, i, &name, &value); i++) {
		asked = asked || (strcmp(name, "WWW-Authenticate") == 0 &&
		    value != NULL);
		later = later || (strcmp(name, "Retry-After") == 0 &&
		    value != NULL && strcmp(value, "7") == 0);
	}
	cr_expect(asked && later);
	cr_expect_not(web_header(&r, -1, &name, &value));
	r.ask = false;
	r.retry_after = 0;
	for (i = 0; web_header(&r, i, &name, &value); i++)
		if (strcmp(name, "WWW-Authenticate") == 0 ||
		    strcmp(name, "Retry-After") == 0)
			cr_expect_null(value);
}

Test(parsers, words_of_an_event_are_copied)
{
	struct words w;
	struct json j;

	(void)memset(&w, 0, sizeof w);
	parse(&j, "{\"event\":\"state\",\"service\":\"a\",\"state\":\"UP\"}");
	words_read(&w, &j, 0);
	cr_expect_str_eq(w.event, "state");
	cr_expect_str_eq(w.service, "a");
	cr_expect_not(words_count(&w));
}

/* --- times */

Test(parsers, times_are_read_with_their_offset)
{
	static const struct {
		const char *text;
		int64_t s;
	} t[] = {
		{ "1970-01-02T00:00:00Z", 86400 },
		{ "1970-01-02T00:00:00.5Z", 86400 },
		{ "1970-01-02T00:00:00.:Z", 0 },
		{ "1970-01-02T02:00:00+02:00", 86400 },
		{ "1970-01-02T00:00:00-01:30", 91800 },
		{ "1970-01-02T00:00:00*02:00", 0 },
		{ "1970-01-02T00:00:00+02", 0 },
		{ "1970-01-02T00:00:00+02:00x", 0 },
		{ "1970-01-02T00:00:00+-2:00", 0 },
		{ "1970-01-02T00:00:00+02:-3", 0 },
		{ "1970-01-02T00:00:00", 0 },
		{ "1970-01-02", 0 },
	};
	size_t i;

	for (i = 0; i < nitems(t); i++)
		cr_expect_eq(when_parse(t[i].text) / 1000000, t[i].s, "%s",
		    t[i].text);
}

/* --- the socket */

Test(parsers, a_socket_that_fails_is_no_socket)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	int i, fd = -1;

	cr_expect_eq(web_bind(&none, sizeof none), -1);
	for (i = 0; i < 16 && fd < 0; i++) {
		io_left = i;
		fd = web_bind((struct sockaddr *)&sin, sizeof sin);
		if (fd < 0)
			cr_expect_eq(errno, EIO);
		io_left = INT_MAX;
	}
	cr_assert_geq(fd, 0);
	cr_expect_eq(i, 6, "five calls may fail: %d", i - 1);
	(void)close(fd);
	fd = web_bind((struct sockaddr *)&sin6, sizeof sin6);
	if (fd >= 0)
		(void)close(fd);
}

/* --- the records */

static char path[64];

static void
make_path(void)
{
	int fd;

	(void)snprintf(path, sizeof path, "/tmp/svtree-table-XXXXXX");
	cr_assert_geq(fd = mkstemp(path), 0);
	(void)close(fd);
}

static void
remove_path(void)
{
	(void)unlink(path);
}

Test(parsers, records_bear_every_failure, .init = make_path,
    .fini = remove_path)
{
	struct record r = { .pid = 101 };
	struct table t;
	int i, good = -1;

	cr_expect_eq(table_open(&t, "/nowhere/table", 4), -1);
	cr_expect_eq(table_open_read(&t, "/nowhere/table"), -1);
	table_close(&t);
	for (i = 0; i < 16 && good < 0; i++) {
		cr_assert_eq(truncate(path, 0), 0);
		io_left = i;
		if (table_open(&t, path, 4) == 0)
			good = i;
		else
			cr_expect_eq(t.fd, -1);
		io_left = INT_MAX;
	}
	cr_assert_geq(good, 4, "%d calls may fail", good);
	cr_expect_eq(table_grow(&t, 4), 0);
	io_left = 0;
	cr_expect_eq(table_grow(&t, 4000), -1);
	cr_expect_eq(table_write(&t, 0, &r), -1);
	cr_expect_eq(errno, EIO);
	cr_expect_eq(table_clear(&t, 0), -1);
	short_write = 3;
	cr_expect_eq(table_write(&t, 0, &r), -1);
	cr_expect_eq(errno, ENOSPC);
	io_left = INT_MAX;
	r.seq = UINT32_MAX;
	cr_expect_eq(table_write(&t, 0, &r), 0);
	cr_expect_eq(r.seq, 2, "0 is for the empty");
	table_close(&t);
	cr_assert_eq(table_open_read(&t, path), 0);
	cr_expect_eq(t.slots, 8);
	table_close(&t);
	io_left = 0;
	cr_expect_eq(table_open_read(&t, path), -1, "no boot id");
	io_left = INT_MAX;
	cr_expect_str_eq(health_name(HEALTH_COUNT), "unknown");
}

static void
put(off_t at, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "r+b");

	cr_assert_not_null(f);
	cr_assert_eq(fseek(f, (long)at, SEEK_SET), 0);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	(void)fclose(f);
}

static void
keep(const char *name, size_t at, const void *bytes, size_t n)
{
	struct record r = { .pid = 101 }, back;
	struct table t;

	cr_assert_eq(table_open(&t, path, 1), 0);
	(void)memcpy((char *)&r + at, bytes, n);
	cr_assert_eq(table_write(&t, 0, &r), 0);
	cr_expect_eq(table_read(&t, 0, &back), -1, "%s", name);
	cr_assert_eq(table_clear(&t, 0), 0);
	table_close(&t);
}

Test(parsers, no_impossible_record_is_read, .init = make_path,
    .fini = remove_path)
{
	static const char full[sizeof ((struct record *)0)->name] = { 0 };
	const int32_t init = 1;
	char name[sizeof full];
	unsigned char high[8];

	(void)memset(name, 'x', sizeof name);
	(void)memset(high, 0x7f, sizeof high);
#define IS_REFUSED(field) keep(#field, offsetof(struct record, field), high, \
	sizeof ((struct record *)0)->field)
	IS_REFUSED(state);
	IS_REFUSED(want);
	IS_REFUSED(health);
	IS_REFUSED(exit_kind);
	IS_REFUSED(again);
	high[sizeof ((struct record *)0)->pid - 1] = 0x80;
	IS_REFUSED(pid);
	/* Found by the fuzzer: kill(-1) is for everybody. */
	keep("pid 1", offsetof(struct record, pid), &init,
	    sizeof ((struct record *)0)->pid);
	keep("name", offsetof(struct record, name), name, sizeof name);
	/* Found by the fuzzer: the difference to such times overflows. */
	high[7] = 0x80;
	IS_REFUSED(started_ms);
	IS_REFUSED(ready_ms);
	IS_REFUSED(deadline_ms);
	IS_REFUSED(window_ms);
	IS_REFUSED(due_ms);
	high[7] = 0x7f;
	IS_REFUSED(window_ms);
	IS_REFUSED(due_ms);
}

Test(parsers, no_foreign_table_is_read, .init = make_path,
    .fini = remove_path)
{
	static const off_t spoilt[] = { 0, 8, 12, 16 };
	struct table t;
	size_t i;

	for (i = 0; i < nitems(spoilt); i++) {
		cr_assert_eq(table_open(&t, path, 1), 0);
		table_close(&t);
		put(spoilt[i], "\xfe", 1);
		cr_expect_eq(table_open_read(&t, path), -1, "%zu", i);
		cr_expect_eq(errno, ESTALE);
	}
	cr_assert_eq(table_open(&t, path, 1), 0);
	table_close(&t);
	cr_assert_eq(truncate(path, 100), 0);
	cr_assert_eq(table_open_read(&t, path), 0);
	cr_expect_eq(t.slots, 0, "a head alone");
	table_close(&t);
}

Test(parsers, the_later_copy_of_a_record_counts, .init = make_path,
    .fini = remove_path)
{
	struct record r = { .pid = 101 }, back;
	struct table t;
	int i;

	cr_assert_eq(table_open(&t, path, 1), 0);
	for (i = 101; i <= 104; i++) {
		r.pid = i;
		cr_assert_eq(table_write(&t, 0, &r), 0);
		cr_assert_eq(table_read(&t, 0, &back), 0);
		cr_expect_eq(back.pid, i);
	}
	put(4096 + RECORD_SIZE * (off_t)(r.seq & 1) + 100, "\x55", 1);
	cr_assert_eq(table_read(&t, 0, &back), 0);
	cr_expect_eq(back.pid, 103, "the one before, as the last is torn");
	cr_expect_eq(table_read(&t, 7, &back), -1, "never written");
	cr_expect_eq(table_read(&t, 70, &back), -1, "behind the end");
	table_close(&t);
}
