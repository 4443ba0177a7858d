/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_RECOVER_TREE_H
#define SVTREE_RECOVER_TREE_H

#include "client.h"
#include "recover_plan.h"

/*
 * The supervisor as recover sees it: the state of every service, kept up to
 * date by events, and the one thing that is asked of it. One connection for
 * calls and one for events; both are made anew when the supervisor was
 * replaced meanwhile.
 */
/* whole: from the status; otherwise an event, which leaves since and the
 * text of the health empty, and mostly the reason, too. */
typedef void tree_each(void *arg, const struct facts *f, bool whole);

/* Subscribes, then reads the status of all. 0, or -1 with a reason in err
 * (CLIENT_ERR_LEN). */
int tree_open(tree_each *each, void *arg, char *err);
void tree_close(void);
/* The descriptor of the events, to be waited on; -1: none. */
int tree_fd(void);
/* Takes in what came. After a broken connection, or when look says so, all
 * services are read again, at most 5 times a second. */
void tree_take(tree_each *each, void *arg, bool look, int64_t now_ms);
/* Restart, of what is wanted only. 0, or -1 with a reason in err. */
int tree_restart(const char *name, const char *reason, char *err);

#endif
