/* SPDX-License-Identifier: ISC */
/*
 * The file of records. Knows where a record lies and whether it is whole,
 * not what it means.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "machine.h"
#include "record.h"

#define HEADER_SIZE	4096

struct header {
	char	 magic[8];
	uint32_t version;
	uint32_t record_size;
	char	 boot[OS_BOOT_LEN];
};

static const char magic[8] = "svtree\n";

/* CRC-32 as in ISO 3309 and zlib, a byte at a time. */
uint32_t
crc32_of(const void *bytes, size_t n)
{
	static uint32_t step[256];
	const unsigned char *p = bytes;
	uint32_t crc;
	int i, k;

	if (step[1] == 0)
		for (i = 0; i < 256; i++) {
			for (crc = (uint32_t)i, k = 0; k < 8; k++)
				crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
			step[i] = crc;
		}
	for (crc = 0xffffffff; n > 0; n--, p++)
		crc = crc >> 8 ^ step[(crc ^ *p) & 255];
	return ~crc;
}

static uint32_t
record_crc(const struct record *r)
{
	return crc32_of((const char *)r + sizeof r->crc,
	    sizeof *r - sizeof r->crc);
}

static off_t
offset_of(int slot, unsigned copy)
{
	return HEADER_SIZE + ((off_t)slot * 2 + copy) * RECORD_SIZE;
}

static bool
header_fits(int fd)
{
	char boot[OS_BOOT_LEN] = "";
	struct header h;

	return pread(fd, &h, sizeof h, 0) == (ssize_t)sizeof h &&
	    memcmp(h.magic, magic, sizeof magic) == 0 &&
	    h.version == TABLE_VERSION && h.record_size == RECORD_SIZE &&
	    os_boot_id(boot) == 0 && strcmp(h.boot, boot) == 0;
}

static int
header_write(int fd)
{
	struct header h = { .version = TABLE_VERSION,
	    .record_size = RECORD_SIZE };

	memcpy(h.magic, magic, sizeof magic);
	if (os_boot_id(h.boot) < 0)
		return -1;
	return pwrite(fd, &h, sizeof h, 0) == (ssize_t)sizeof h ? 0 : -1;
}

static int
count_slots(int fd)
{
	struct stat sb;

	if (fstat(fd, &sb) < 0 || sb.st_size < HEADER_SIZE)
		return 0;
	return (int)((sb.st_size - HEADER_SIZE) / (2 * RECORD_SIZE));
}

int
table_open(struct table *t, const char *path, int slots)
{
	*t = (struct table){ .fd = -1 };
	t->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (t->fd < 0)
		return -1;
	t->fresh = !header_fits(t->fd);
	if (t->fresh && (ftruncate(t->fd, 0) < 0 || header_write(t->fd) < 0))
		goto fail;
	t->slots = count_slots(t->fd);
	if (table_grow(t, slots) == 0)
		return 0;
fail:
	table_close(t);
	return -1;
}

int
table_open_read(struct table *t, const char *path)
{
	*t = (struct table){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (t->fd < 0)
		return -1;
	if (!header_fits(t->fd)) {
		table_close(t);
		errno = ESTALE;
		return -1;
	}
	t->slots = count_slots(t->fd);
	return 0;
}

int
table_grow(struct table *t, int slots)
{
	if (slots <= t->slots)
		return 0;
	slots = (slots + 7) / 8 * 8;
	if (os_preallocate(t->fd, offset_of(slots, 0)) < 0)
		return -1;
	t->slots = slots;
	return 0;
}

void
table_close(struct table *t)
{
	int e = errno;

	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
	errno = e;
}

/* Whole by its checksum, but written by what is no version of ours: with
 * states that there are not, or times (-1 is TIMER_HELD) of no clock. */
static bool
is_possible(const struct record *r)
{
	return r->state < ST_COUNT && r->want < WANT_COUNT &&
	    r->health < HEALTH_COUNT && r->exit_kind <= EXIT_UNKNOWN &&
	    r->again <= AGAIN_COUNTED && r->pid >= 0 &&
	    r->pid != 1 &&	/* its group would be everybody */
	    ((uint64_t)(r->started_ms | r->ready_ms | r->deadline_ms |
	    r->window_ms) | ((uint64_t)r->due_ms + 1)) >> 52 == 0;
}

static bool
read_copy(const struct table *t, int slot, unsigned copy, struct record *r)
{
	return pread(t->fd, r, sizeof *r, offset_of(slot, copy)) ==
	    (ssize_t)sizeof *r && r->seq != 0 && r->crc == record_crc(r) &&
	    memchr(r->name, '\0', sizeof r->name) != NULL && is_possible(r);
}

int
table_read(const struct table *t, int slot, struct record *r)
{
	struct record other;
	bool have = read_copy(t, slot, 0, r);
	bool have_other = read_copy(t, slot, 1, &other);

	if (!have && !have_other)
		return -1;
	if (!have || (have_other && other.seq > r->seq))
		*r = other;
	r->reason[sizeof r->reason - 1] = '\0';
	r->text[sizeof r->text - 1] = '\0';
	r->health_text[sizeof r->health_text - 1] = '\0';
	return 0;
}

int
table_write(const struct table *t, int slot, struct record *r)
{
	ssize_t n;

	if (++r->seq == 0)
		r->seq = 2;
	r->crc = record_crc(r);
	n = pwrite(t->fd, r, sizeof *r, offset_of(slot, r->seq & 1));
	if (n == (ssize_t)sizeof *r)
		return 0;
	if (n >= 0)
		errno = ENOSPC;
	return -1;
}

int
table_clear(const struct table *t, int slot)
{
	static const char zero[2 * RECORD_SIZE];

	return pwrite(t->fd, zero, sizeof zero, offset_of(slot, 0)) ==
	    (ssize_t)sizeof zero ? 0 : -1;
}

static const char *const healths[HEALTH_COUNT] = {
	[HEALTH_UNKNOWN] = "unknown", [HEALTH_OK] = "ok",
	[HEALTH_BUSY] = "busy", [HEALTH_DEGRADED] = "degraded",
	[HEALTH_FAILING] = "failing",
};

const char *
health_name(enum health health)
{
	return health < HEALTH_COUNT ? healths[health] : "unknown";
}

int
health_parse(const char *word)
{
	int i;

	for (i = 0; i < HEALTH_COUNT; i++)
		if (strcmp(healths[i], word) == 0)
			return i;
	return -1;
}
