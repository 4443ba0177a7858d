/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_SV_H
#define SVTREE_SVCTL_SV_H

#include <stdbool.h>

#include "svctl.h"

/*
 * svctl called as runit's sv(8): its words, output and exit status, for the
 * services of a tree.
 */

/* The number of the first argument for sv, 0 when it is not called so: by a
 * link of the name sv, by a link to that, or as `svctl [--run DIR] sv`. *run as
 * of --run. */
int sv_called(int argc, char **argv, const char **run);
/* Called as /etc/init.d/NAME, a link to sv: that NAME; else NULL. */
const char *sv_lsb_name(const char *argv0);
int svctl_sv(int argc, char **argv);

/* One service of the command line. */
struct sv_target {
	const char *arg;	/* as written */
	char	 name[64];
	bool	 done;		/* nothing more to do or to wait for */
	struct sv before;
	struct sv now;
};

/* svctl_sv_dir.c */
/* Fills in t by its arg. 0; an errno: no such directory; -1: there is one, but
 * not of this tree. svdir: SVDIR, or NULL for the tree's own. */
int sv_find(struct sv_target *t, const struct list *all, const char *svdir);
/* No file down in its directory, and not disabled. */
bool sv_is_normally_up(const struct list *all, const struct sv *sv);
/* Runs its ./check, if there is one, for so long at most. */
bool sv_passes_check(const struct list *all, const struct sv_target *t,
    long seconds);

/* svctl_sv_words.c */
struct sv_word {
	const char *name;	/* whole, or NULL: by its first letter */
	char	 letter;
	const char *acts;	/* what is done; 's' only tells */
	bool	 waits, kills;	/* KILL when the wait was for nothing */
};
const struct sv_word *sv_word_find(const char *text);
/* What svtree calls it. NULL: nothing is to be asked. */
struct sv_deed {
	char	 act;
	const char *method, *signal;
};
const struct sv_deed *sv_deed_find(char act);
void sv_put_params(struct buf *b, const struct sv_target *t,
    const char *method, const char *signal);
/* Has the act had its effect? */
enum sv_effect { SV_NO, SV_IF_CHECK, SV_YES };
enum sv_effect sv_effect(const struct sv_target *t, char act);
/* "run: foo: (pid 12) 3s, normally down"; label is the name shown. */
void sv_put_status(const struct sv *sv, const char *label, bool normally_up);

#endif
