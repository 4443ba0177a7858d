/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_OOM_KILLS_H
#define SVTREE_OOM_KILLS_H

#include <stdint.h>

/*
 * Processes of the services that the kernel itself kills for memory: seen in
 * its log where we may read that, else by its counter; on macOS by the
 * reports of jetsam.
 */
void kills_open(const char *proc);
/* To be watched for reading, -1 none. */
int kills_fd(void);
/* Takes what has come, and tells whose it was; when to call again. */
int64_t kills_step(int64_t every_ms, int64_t now_ms);

#endif
