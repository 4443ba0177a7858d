/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_MACHINE_H
#define SVTREE_SVCTL_MACHINE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

/*
 * What is on the machine: servers, model stores, compose files, and jobs of
 * other managers that would start the same programs. Looks at files alone,
 * below a root, so that an image or a test can be looked at as well.
 */
#define MACHINE_PATH	1024

struct machine {
	const char *root;	/* "" for the machine itself */
	char	 home[512];	/* of the user, without the root */
	uid_t	 uid;		/* 0: the whole machine is looked at */
};

void machine_init(struct machine *m, const char *root);

enum competitor_kind { BY_LAUNCHD, BY_SYSTEMD, BY_CRON, BY_APP };
struct competitor {
	enum competitor_kind kind;
	char	 name[128];	/* label, unit, line, app */
	char	 file[MACHINE_PATH];
	bool	 user;		/* of a user's session, not the system's */
	char	 mend[256];	/* the command that takes it away */
};
/* Jobs that start Ollama or an MLX server, or are of the scripts that svtree
 * replaces. False from the callback ends it. */
typedef bool machine_on_competitor(void *arg, const struct competitor *c);
void machine_competitors(const struct machine *m, machine_on_competitor *each,
    void *arg);
/* Does this name of a job or line of a crontab mean one? Pure. */
bool machine_is_competitor(const char *name);

struct store {			/* of Ollama's models */
	char	 path[MACHINE_PATH];
	char	 owner[64];
	uid_t	 uid;
	int	 models;	/* manifests */
};
/* The store with the most models: $OLLAMA_MODELS, the user's, the package's,
 * a shared one; for root those of all users. False: there is none. */
bool machine_store(const struct machine *m, struct store *s);
bool machine_store_at(const struct machine *m, const char *path,
    struct store *s);

/* A program in the directories in which svtree looks, and more; its path
 * without the root. */
bool machine_program(const struct machine *m, const char *name, char *dst,
    size_t cap);

/* Compose files below the home and the present directory, a few levels deep.
 * Their number, at most max; paths without the root. */
int machine_compose(const struct machine *m, char (*path)[MACHINE_PATH],
    int max);

#endif
