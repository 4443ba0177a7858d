/* SPDX-License-Identifier: ISC */
/*
 * Bytes of a service into its log, in batches: stamped, and rotated in a
 * directory of its own. Without the stamps they are the bytes that came in,
 * and no file but one with a single long line is larger than max-size.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "svlog.h"

static char dir[64];

static void
empty(bool all)
{
	char path[400];
	struct dirent *e;
	DIR *d;

	(void)snprintf(path, sizeof path, "%s/s", dir);
	if ((d = opendir(path)) == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		(void)snprintf(path, sizeof path, "%s/s/%s", dir, e->d_name);
		(void)unlink(path);
	}
	(void)closedir(d);
	if (all) {
		(void)snprintf(path, sizeof path, "%s/s", dir);
		(void)rmdir(path);
		(void)rmdir(dir);
	}
}

static void
end(void)
{
	empty(true);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All files in order into dst. */
static size_t
gather(char *dst, size_t cap)
{
	static char name[4096][64];
	char path[400];
	struct dirent *e;
	size_t n = 0, i, len = 0;
	DIR *d;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/s", dir);
	if ((d = opendir(path)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL && n < 4096)
		if (e->d_name[0] != '.')
			(void)snprintf(name[n++], 64, "%.63s", e->d_name);
	(void)closedir(d);
	qsort(name, n, 64, by_name);	/* "current" comes behind digits */
	for (i = 0; i < n; i++) {
		(void)snprintf(path, sizeof path, "%s/s/%s", dir, name[i]);
		if ((f = fopen(path, "re")) == NULL)
			continue;
		len += fread(dst + len, 1, cap - len, f);
		(void)fclose(f);
	}
	return len;
}

static void
write_all(struct svlog_file *f, const char *in, size_t n, size_t batch)
{
	static char mem[1 << 16];
	char stamp[SVLOG_STAMP];
	int64_t now = 1700000000000000;
	size_t at, part, taken;
	struct buf out;
	bool open;

	for (at = 0; at < n; at += taken) {
		part = n - at < batch ? n - at : batch;
		now += 1000003;
		svlog_stamp(stamp, now);
		svlog_file_open(f, now);
		open = f->open;
		buf_init(&out, mem, sizeof mem);
		taken = svlog_lines(&out, in + at, part, &open,
		    f->conf.timestamps ? stamp : NULL);
		PROMISE(taken > 0 && taken <= part, "took %zu", taken);
		svlog_file_write(f, out.base, out.len, now);
	}
}

/* Takes the stamp from the front of every line. */
static size_t
unstamp(char *text, size_t n)
{
	size_t from = 0, to = 0, len;
	char *nl;

	while (from < n) {
		PROMISE(n - from >= SVLOG_STAMP && text[from + 26] == 'Z',
		    "a line without a stamp");
		from += SVLOG_STAMP;
		nl = memchr(text + from, '\n', n - from);
		len = nl != NULL ? (size_t)(nl - text) + 1 - from : n - from;
		memmove(text + to, text + from, len);
		from += len;
		to += len;
	}
	return to;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	static char all[1 << 20];
	struct svlog_file f;
	size_t len;

	if (n < 3 || n > 20000)
		return 0;
	if (dir[0] == '\0') {
		(void)snprintf(dir, sizeof dir, "/tmp/svfuzz.XXXXXX");
		PROMISE(mkdtemp(dir) != NULL, "no directory");
		(void)atexit(end);
	}
	empty(false);
	svlog_file_init(&f, dir, "s");
	f.conf = (struct conf_log){ .max_size = 1024 + bytes[0] * 16,
	    .keep = 4000, .total = 1 << 30, .timestamps = bytes[1] & 1 };
	write_all(&f, (const char *)bytes + 2, n - 2, bytes[1] * 8u + 1);
	svlog_file_close(&f);
	len = gather(all, sizeof all);
	if (f.conf.timestamps && f.dropped == 0 && n < 1024)
		len = unstamp(all, len);
	else if (f.conf.timestamps)
		return 0;
	PROMISE(len == n - 2 && memcmp(all, bytes + 2, len) == 0,
	    "%zu bytes in, %zu in the files", n - 2, len);
	return 0;
}
