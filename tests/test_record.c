/* SPDX-License-Identifier: ISC */
/* The file of records: torn, spoilt, foreign, full. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"
#include "record.h"

static char path[64];

static void
make_path(void)
{
	int fd;

	(void)snprintf(path, sizeof path, "/tmp/svtree-table-XXXXXX");
	fd = mkstemp(path);
	cr_assert_geq(fd, 0);
	(void)close(fd);
}

static void
remove_path(void)
{
	(void)unlink(path);
}

TestSuite(record, .init = make_path, .fini = remove_path);

static void
spoil(off_t offset)
{
	int fd = open(path, O_RDWR);
	char c = 0;

	cr_assert_eq(pread(fd, &c, 1, offset), 1);
	c ^= 0x40;
	cr_assert_eq(pwrite(fd, &c, 1, offset), 1);
	(void)close(fd);
}

Test(record, crc32_is_the_known_one)
{
	cr_expect_eq(crc32_of("123456789", 9), 0xcbf43926u);
}

Test(record, what_is_written_is_read_by_the_next_process)
{
	struct record r = { .want = 1, .pid = 4711 }, back;
	struct table t;

	(void)snprintf(r.name, sizeof r.name, "ollama");
	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_expect(t.fresh);
	cr_expect_eq(table_read(&t, 2, &back), -1, "empty slot");
	cr_assert_eq(table_write(&t, 2, &r), 0);
	table_close(&t);
	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_expect(!t.fresh);
	cr_assert_eq(table_read(&t, 2, &back), 0);
	cr_expect_str_eq(back.name, "ollama");
	cr_expect_eq(back.pid, 4711);
	table_close(&t);
}

Test(record, a_torn_write_leaves_the_copy_before)
{
	struct record r = { .pid = 101 }, back;
	struct table t;
	int i;

	cr_assert_eq(table_open(&t, path, 4), 0);
	for (i = 1; i <= 7; i++) {
		r.pid = i;
		cr_assert_eq(table_write(&t, 0, &r), 0);
	}
	spoil(4096 + (off_t)(r.seq & 1) * RECORD_SIZE + 100);
	cr_assert_eq(table_read(&t, 0, &back), 0);
	cr_expect_eq(back.pid, 6);
	spoil(4096 + (off_t)(~r.seq & 1) * RECORD_SIZE + 100);
	cr_expect_eq(table_read(&t, 0, &back), -1);
	table_close(&t);
}

/* Found by the fuzzer: whole by its checksum, yet of no state there is. */
Test(record, an_impossible_state_is_no_record)
{
	struct record r = { .pid = 101, .state = ST_COUNT }, back;
	struct table t;

	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_assert_eq(table_write(&t, 0, &r), 0);
	cr_expect_eq(table_read(&t, 0, &back), -1);
	r.state = ST_UP;
	r.want = WANT_COUNT;
	cr_assert_eq(table_write(&t, 0, &r), 0);
	cr_expect_eq(table_read(&t, 0, &back), -1);
	r.want = WANT_UP;
	cr_assert_eq(table_write(&t, 0, &r), 0);
	cr_expect_eq(table_read(&t, 0, &back), 0);
	table_close(&t);
}

Test(record, another_boot_voids_all)
{
	struct record r = { .pid = 101 }, back;
	struct table t;

	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_assert_eq(table_write(&t, 0, &r), 0);
	table_close(&t);
	spoil(16 + 3);		/* the boot id */
	cr_expect_eq(table_open_read(&t, path), -1);
	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_expect(t.fresh);
	cr_expect_eq(table_read(&t, 0, &back), -1);
	table_close(&t);
}

Test(record, a_cleared_slot_is_empty_and_growth_keeps_the_others)
{
	struct record r = { .pid = 9 }, back;
	struct table t;

	cr_assert_eq(table_open(&t, path, 4), 0);
	cr_assert_eq(table_write(&t, 0, &r), 0);
	cr_assert_eq(table_write(&t, 1, &r), 0);
	cr_assert_eq(table_clear(&t, 1), 0);
	cr_expect_eq(table_read(&t, 1, &back), -1);
	cr_assert_eq(table_grow(&t, 1000), 0);
	cr_expect_geq(t.slots, 1000);
	cr_assert_eq(table_read(&t, 0, &back), 0);
	cr_expect_eq(back.pid, 9);
	cr_assert_eq(table_write(&t, 999, &r), 0);
	table_close(&t);
}

Test(record, health_words_go_both_ways)
{
	int i;

	for (i = 0; i < HEALTH_COUNT; i++)
		cr_expect_eq(health_parse(health_name((enum health)i)), i);
	cr_expect_eq(health_parse("fine"), -1);
}
