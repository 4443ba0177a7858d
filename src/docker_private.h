/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_DOCKER_PRIVATE_H
#define SVTREE_DOCKER_PRIVATE_H

#include "buf.h"
#include "docker.h"

/* What the files of docker.h share. */
void docker_begin_url(const struct docker *d, struct buf *b);
void docker_put_escaped(struct buf *b, const char *s);
/* An answer that is none, in words. */
void docker_say_status(const struct http_result *r, char *err);

#endif
