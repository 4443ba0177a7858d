/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_HTTP_PRIVATE_H
#define SVTREE_HTTP_PRIVATE_H

#include "http.h"
#include "http_sink.h"

/* One request between http.c, which runs it, and http_requests.c, which
 * knows that it is under way. */
struct transfer {
	int	 id;
	bool	 added;		/* to those that run side by side */
	void	*easy;		/* libcurl's handle */
	void	*headers;
	http_done *done;
	void	*arg;
	struct sink sink;
	int	 connect_ms, total_ms;
	char	 header[64];	/* name of the wanted one */
	char	 err[HTTP_ERR_LEN];
};

struct transfer *transfer_new(const struct http_request *rq, http_line *line,
    void *arg);
void transfer_free(struct transfer *t);
/* Waits until it is done; like transfers_finished, tells libcurl's result. */
int transfer_run(struct transfer *t);
/* In words; what r points to is the transfer's. */
void transfer_result(struct transfer *t, int result, struct http_result *r);
extern const int transfer_no_memory;	/* a result */

void transfer_add(struct transfer *t);	/* sets added, or not */
void transfers_perform(void);
struct transfer *transfers_finished(int *result);
void transfers_wait(int timeout_ms, const int *fd, int nfd);
void transfers_close(void);

#endif
