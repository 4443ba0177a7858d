/* SPDX-License-Identifier: ISC */
/*
 * Reading a log from its end, for who looks for the last line of a kind: in
 * blocks, in which the lines that cannot be it are stepped over by one search.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"
#include "svctl.h"
#include "svctl_lines.h"

#define BLOCK	32768	/* no line of an event is as long */

/* The last line in the block that has the mark and is one. */
static bool
look_in(const char *block, size_t n, const char *mark, ctl_is_it *is_it,
    void *arg)
{
	const char *end = block + n, *at = block, *from, *to;
	bool found = false;

	while ((at = memmem(at, (size_t)(end - at), mark, strlen(mark))) !=
	    NULL) {
		for (from = at; from > block && from[-1] != '\n'; from--)
			;
		to = memchr(at, '\n', (size_t)(end - at));
		at = to != NULL ? to + 1 : end;
		found |= is_it(arg, from, (size_t)(at - from));
	}
	return found;
}

/* The most bytes of one file, less by those read. */
static bool
look_through(int fd, off_t *most, const char *mark, ctl_is_it *is_it,
    void *arg)
{
	char block[BLOCK], *begin;
	struct stat st;
	off_t from, end;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return false;
	for (end = st.st_size; end > 0 && *most > 0; end = from) {
		from = end > BLOCK ? end - BLOCK : 0;
		n = pread(fd, block, (size_t)(end - from), from);
		if (n <= 0)
			return false;
		*most -= n;
		begin = block;
		/* A line that began before belongs to the next block. */
		if (from > 0 && (begin = memchr(block, '\n', (size_t)n)) !=
		    NULL && begin + 1 < block + n)
			from += ++begin - block;
		else if (from > 0)
			begin = block;
		if (look_in(begin, (size_t)(block + n - begin), mark, is_it,
		    arg))
			return true;
	}
	return false;
}

bool
ctl_last_with(const char *dir, off_t most, const char *mark, ctl_is_it *is_it,
    void *arg)
{
	char (*file)[LINES_NAME_LEN];
	int i = lines_list(dir, &file);
	bool found = false;
	FILE *f;

	while (i-- > 0 && most > 0 && !found) {
		if ((f = lines_open_file(dir, file[i])) == NULL)
			continue;
		found = look_through(fileno(f), &most, mark, is_it, arg);
		(void)fclose(f);
	}
	free(file);
	return found;
}
