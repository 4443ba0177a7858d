/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HTTP_SINK_H
#define SVTREE_HTTP_SINK_H

#include "http.h"

/* Where the bytes of an answer go: a body up to max bytes, or lines. Begins
 * as zeroes but for max, line, arg and raw. */
struct sink {
	char	*body;		/* NUL-terminated once there is any */
	size_t	 len, cap, max;
	bool	 cut;		/* the body was longer than max */
	http_line *line;
	void	*arg;
	char	*text;		/* the line begun */
	size_t	 text_len, text_cap;
	bool	 skipping;	/* it was too long: until the next newline */
	bool	 raw;		/* not lines, but bytes as they come */
	bool	 muted;		/* nobody listens any more */
	bool	 handed;	/* a line was, since this was cleared */
};

/* 0, or -1: cut is set, or there is no memory. */
int sink_body(struct sink *s, const char *bytes, size_t n);
/* Hands every line that ends within the n bytes to line. */
int sink_lines(struct sink *s, const char *bytes, size_t n);
/* The stream has ended well: what is left is a line, too. */
void sink_end(struct sink *s);
void sink_free(struct sink *s);

#endif
