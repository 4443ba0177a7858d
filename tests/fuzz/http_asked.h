/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HTTP_ASKED_H
#define SVTREE_HTTP_ASKED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What a request asks, read a second time and strictly, by code that shares
 * nothing with the listener: the judge of the fuzzer of HTTP.
 */
#define ASKED_TOKEN	"0123456789abcdef"

struct asked {
	bool	 post;
	int	 hosts, lengths, origins;
	bool	 folded;	/* a header goes on in the next line */
	bool	 coded;		/* Transfer-Encoding */
	bool	 shows_token;	/* as it is, percent-encoded, or in Basic */
	char	 host[160], origin[160], site[32];
	long	 length;	/* -1: none, or no number */
	const char *why;	/* it may not act */
};

void asked_read(struct asked *a, const char *bytes, size_t n);
bool asked_may_act(struct asked *a, bool wants_token);
/* The status of the one answer; 0: none. Breaks a promise when there is more
 * than one, or when its length is not what it says. */
int asked_status(const char *reply, size_t n);

#endif
