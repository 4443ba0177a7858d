/* SPDX-License-Identifier: ISC */
/* Tests of the JSON reader and writer: what is refused, what comes back. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define TOKENS 64

static int
parse(struct json *j, struct json_tok *tok, const char *text, char *err)
{
	return json_parse(j, text, strlen(text), tok, TOKENS, err);
}

Test(json, takes_what_the_rfc_takes)
{
	static const char *good[] = {
		"{}", "[]", "0", "-0", "-1.5e+10", "\"\"", "true", " null ",
		"[1,2]", "{\"a\":{\"b\":[]}}", "\"\\u00e9\\ud83d\\ude00\"",
		"\"\xc3\xa9\"", "\t[\r\n]",
	};
	struct json_tok tok[TOKENS];
	struct json j;
	char err[JSON_ERR_LEN];
	size_t i;

	for (i = 0; i < nitems(good); i++)
		cr_expect_eq(parse(&j, tok, good[i], err), 0, "%s: %s",
		    good[i], err);
}

Test(json, refuses_everything_else)
{
	static const char *bad[] = {
		"", " ", "{", "}", "[1,]", "{\"a\"}", "{\"a\" 1}",
		"{\"a\":1,}", "{a:1}", "[1 2]", "01", "1.", "1e", "+1", ".5",
		"tru", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
		"\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\x01\"", "\"\xff\"",
		"\"\xc0\x80\"", "\"\xed\xa0\x80\"", "1 2", "{} x", "[}", "{]",
		"{\"a\":}", "{:1}", "'a'", "NaN", "\"a\nb\"",
	};
	struct json_tok tok[TOKENS];
	struct json j;
	char err[JSON_ERR_LEN];
	size_t i;

	for (i = 0; i < nitems(bad); i++)
		cr_expect_eq(parse(&j, tok, bad[i], err), -1, "%s", bad[i]);
}

Test(json, bounds_depth_and_count)
{
	char deep[2 * JSON_MAX_DEPTH + 3], many[4 * TOKENS], err[JSON_ERR_LEN];
	struct json_tok tok[TOKENS];
	struct json j;
	int i;

	memset(deep, '[', JSON_MAX_DEPTH);
	memset(deep + JSON_MAX_DEPTH, ']', JSON_MAX_DEPTH);
	deep[2 * JSON_MAX_DEPTH] = '\0';
	cr_expect_eq(parse(&j, tok, deep, err), 0, "%s", err);
	memset(deep, '[', JSON_MAX_DEPTH + 1);
	memset(deep + JSON_MAX_DEPTH + 1, ']', JSON_MAX_DEPTH + 1);
	deep[2 * JSON_MAX_DEPTH + 2] = '\0';
	cr_expect_eq(parse(&j, tok, deep, err), -1);
	strcpy(many, "[0");
	for (i = 0; i < TOKENS; i++)
		strcat(many, ",0");
	strcat(many, "]");
	cr_expect_eq(parse(&j, tok, many, err), -1);
	cr_expect(strstr(err, "more than") != NULL, "%s", err);
}

Test(json, reads_values_by_path)
{
	static const char text[] = "{\"State\":{\"Status\":\"exited\","
	    "\"OOMKilled\":true,\"Pid\":-7},\"Names\":[\"a\",[1],{\"x\":2}],"
	    "\"e\\u0073c\":\"\\\"\\n\\u00e9\",\"big\":99999999999999999999,"
	    "\"nul\":\"a\\u0000b\"}";
	struct json_tok tok[TOKENS];
	struct json j;
	char err[JSON_ERR_LEN], s[16];
	int64_t n = 0;
	bool b = false;
	int v, count = 0;
	size_t len;

	cr_assert_eq(parse(&j, tok, text, err), 0, "%s", err);
	cr_expect_eq(json_str(&j, json_path(&j, 0, "State/Status"), s,
	    sizeof s), 0);
	cr_expect_str_eq(s, "exited");
	cr_expect_eq(json_bool(&j, json_path(&j, 0, "State/OOMKilled"), &b),
	    0);
	cr_expect(b);
	cr_expect_eq(json_int(&j, json_path(&j, 0, "State/Pid"), &n), 0);
	cr_expect_eq(n, -7);
	cr_expect_eq(json_str(&j, json_get(&j, 0, "esc"), s, sizeof s), 0);
	cr_expect_str_eq(s, "\"\n\xc3\xa9");
	cr_expect_eq(json_int(&j, json_get(&j, 0, "big"), &n), -1);
	cr_expect_eq(json_str(&j, json_get(&j, 0, "nul"), s, sizeof s), -1);
	cr_expect_str_eq(s, "");
	cr_expect_eq(json_path(&j, 0, "State/None/deeper"), -1);
	v = json_get(&j, 0, "Names");
	cr_expect_eq(json_count(&j, v), 3);
	cr_expect_str_eq(json_raw(&j, json_first(&j, v), &len),
	    strstr(text, "\"a\""));
	cr_expect_eq(len, 3);
	for (int e = json_first(&j, v); e >= 0; e = json_next(&j, v, e))
		count++;
	cr_expect_eq(count, 3);
	cr_expect_eq(json_str(&j, json_path(&j, 0, "State/Status"), s, 3), -1);
}

Test(json, writes_commas_and_escapes_by_itself)
{
	static const char want[] = "{\"a\":1,\"b\":[true,null,\"x\\n\\u0001"
	    "\xef\xbf\xbd\"],\"at\":\"2026-02-10T00:13:05.123Z\",\"no\":null,"
	    "\"s\":\"}\"}";
	char mem[256];
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	json_open(&b, '{');
	json_set_int(&b, "a", 1);
	json_key(&b, "b");
	json_open(&b, '[');
	json_put_bool(&b, true);
	json_put_str(&b, NULL);
	json_put_str(&b, "x\n\001\xff");
	json_close(&b, ']');
	json_set_time(&b, "at", 1770682385123456);
	json_set_time(&b, "no", 0);
	json_set_str(&b, "s", "}");
	json_close(&b, '}');
	cr_expect_str_eq(buf_cstr(&b), want);
	cr_expect_not(b.overflow);
}

Test(json, writer_that_has_no_room_says_so)
{
	char mem[8];
	struct buf b;

	buf_init(&b, mem, sizeof mem);
	json_put_str(&b, "longer than that");
	cr_expect(b.overflow);
	cr_expect_leq(b.len, sizeof mem);
}

Test(buf, what_is_too_long_ends_behind_a_word)
{
	static const struct {
		const char *text, *fits;
		size_t cap;
	} t[] = {
		{ "all of it", "all of it", 10 },
		{ "no room for the last", "no room for the...", 20 },
		{ "no room for the last", "no room for...", 17 },
		{ "a verylongwordwithoutend", "a verylon...", 13 },
		{ "\xd0\xb0\xd0\xb1\xd0\xb2\xd0\xb3", "\xd0\xb0\xd0\xb1...",
		    8 },
		{ "abc", "ab", 3 },
	};
	char got[64];
	size_t i;

	for (i = 0; i < nitems(t); i++) {
		buf_fit(got, t[i].cap, t[i].text);
		cr_expect_str_eq(got, t[i].fits, "%s in %zu: %s", t[i].text,
		    t[i].cap, got);
	}
}
