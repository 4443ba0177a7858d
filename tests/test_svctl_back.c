/* SPDX-License-Identifier: ISC */
/*
 * The last line of a kind, looked for from the end of a log: over the bounds
 * of blocks and files, and no further back than wanted.
 */
#include <criterion/criterion.h>

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl.h"

#define OLD	"20261124T101500.123456Z.log"
#define MARK	"\"service\":\"a\""

static char dir[] = "/tmp/back.XXXXXX";
static char got[256];

static void
set_up(void)
{
	cr_assert_not_null(mkdtemp(dir));
	got[0] = '\0';
}

static void
tear_down(void)
{
	static const char *const names[] = { "current", OLD };
	char path[128];
	size_t i;

	for (i = 0; i < nitems(names); i++) {
		(void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
}

TestSuite(svctl_back, .init = set_up, .fini = tear_down);

static void
put(const char *name, const char *text, int times)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "a");
	cr_assert_not_null(f);
	while (times-- > 0)
		cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

static bool
is_good(void *arg, const char *line, size_t len)
{
	if (arg != NULL && memmem(line, len, "bad", 3) != NULL)
		return false;
	(void)snprintf(got, sizeof got, "%.*s", (int)len, line);
	return true;
}

static bool
look(off_t most, void *picky)
{
	return ctl_last_with(dir, most, MARK, is_good, picky);
}

Test(svctl_back, the_last_of_several)
{
	put("current", "one " MARK "\ntwo " MARK "\nother\n", 1);
	cr_assert(look(1 << 20, NULL));
	cr_assert_str_eq(got, "two " MARK "\n");
}

Test(svctl_back, one_that_is_refused_gives_way_to_an_earlier_one)
{
	put("current", "good " MARK "\nbad " MARK "\n", 1);
	cr_assert(look(1 << 20, got));
	cr_assert_str_eq(got, "good " MARK "\n");
}

Test(svctl_back, the_last_line_may_not_be_whole)
{
	put("current", "one " MARK "\ntwo " MARK, 1);
	cr_assert(look(1 << 20, NULL));
	cr_assert_str_eq(got, "two " MARK);
}

Test(svctl_back, none_is_none)
{
	cr_assert_not(look(1 << 20, NULL), "there is no file");
	put("current", "other\n", 3);
	cr_assert_not(look(1 << 20, NULL));
	cr_assert_not(ctl_last_with("/nowhere/at/all", 1 << 20, MARK, is_good,
	    NULL));
}

Test(svctl_back, a_rotated_file_comes_after_current)
{
	put(OLD, "old " MARK "\n", 1);
	put("current", "other\n", 1);
	cr_assert(look(1 << 20, NULL));
	cr_assert_str_eq(got, "old " MARK "\n");
	put("current", "new " MARK "\n", 1);
	cr_assert(look(1 << 20, NULL));
	cr_assert_str_eq(got, "new " MARK "\n");
}

/* Of the bytes that follow, one block of them is no more than was wanted. */
Test(svctl_back, no_further_back_than_wanted)
{
	put("current", "old " MARK "\n", 1);
	put("current", "0123456789 another line of the log\n", 4000);
	cr_assert_not(look(64000, NULL));
	cr_assert(look(1 << 20, NULL));
	cr_assert_str_eq(got, "old " MARK "\n");
}

/* Wherever a line lies, over the bound of two blocks or beside it. */
Test(svctl_back, over_the_bounds_of_blocks)
{
	char filler[64], path[128];
	int behind;

	(void)snprintf(path, sizeof path, "%s/current", dir);
	for (behind = 32700; behind < 32800; behind++) {
		(void)unlink(path);
		put("current", "an earlier line\n", 3000);
		put("current", "sought " MARK "\n", 1);
		put("current", "1234567\n", behind / 8);
		(void)snprintf(filler, sizeof filler, "%.*s", behind % 8,
		    "abcdefg");
		put("current", filler, 1);
		got[0] = '\0';
		cr_assert(look(1 << 20, NULL), "%d bytes from the end",
		    behind);
		cr_assert_str_eq(got, "sought " MARK "\n");
	}
}
