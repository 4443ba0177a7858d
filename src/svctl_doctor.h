/* SPDX-License-Identifier: ISC */
#ifndef SVTREE_SVCTL_DOCTOR_H
#define SVTREE_SVCTL_DOCTOR_H

#include "conf.h"
#include "svctl.h"
#include "svctl_machine.h"

/*
 * svctl doctor: checks, each with a result, what was seen, and the one
 * command that mends it.
 */
enum result { FINE, NOTE, WARN, BAD, RESULT_COUNT };

struct finding {
	enum result result;
	char	group[32], what[320], mend[256];
};

struct doctor {
	struct ctl *c;
	struct term t;
	struct machine m;
	bool	 alive;		/* a supervisor answers */
	struct list list;	/* its status; empty when it does not */
	char	 services[1024]; /* directory of the definitions */
	struct conf_tree conf;	/* what is good of them */
	bool	 have_conf;
	char	 group[32];
	bool	 is_headed;	/* its name is printed */
	struct finding *found;
	int	 n, room;
	int	 count[RESULT_COUNT];
};

/* The checks that follow belong to it. */
void doctor_group(struct doctor *d, const char *name);
/* mend: a command or what to do, NULL none. */
void doctor_put(struct doctor *d, enum result result, const char *mend,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The status of a service, NULL when there is none. */
const struct sv *doctor_sv(const struct doctor *d, const char *name);

/* One function a group. */
void doctor_tree(struct doctor *d);
void doctor_services(struct doctor *d);
void doctor_servers(struct doctor *d);
void doctor_containers(struct doctor *d);
void doctor_recovery(struct doctor *d);
void doctor_host(struct doctor *d);

/* svctl_doctor_reach.c: from a container that runs to the servers it needs,
 * by what the engine says of it. */
void doctor_reach(struct doctor *d, const struct conf_service *box,
    const char *body, size_t len);

/* svctl_doctor_deep.c: does a server that answers compute? One token of a
 * model that it has loaded. */
void doctor_deep(struct doctor *d, const struct conf_service *sv,
    const struct sv *now);

/* svctl_doctor_body.c, pure: what an answer of a server says. models: names
 * that must be there. The result, with words. */
enum result body_tags(const char *body, size_t len,
    const struct conf_list *models, char *words, size_t cap);
enum result body_mlx(const char *body, size_t len, char *words, size_t cap);
/* The first of the models that /api/ps lists. False: none is loaded. */
bool body_loaded(const char *body, size_t len, char *name, size_t cap);
/* What a request for a token brought, in words. */
enum result body_token(const char *body, size_t len, char *words, size_t cap);
/* The port of an address, of port-guard's argument or of OLLAMA_HOST; 0. */
long port_in(const char *text);

#endif
