/* SPDX-License-Identifier: ISC */
/*
 * A service with log/run has a logger of its own: a service of the name
 * NAME/log beside it. What its definition is by itself, and how the two hang
 * together.
 */
#include <stdio.h>
#include <string.h>

#include "conf_private.h"

/* A service whose logger gave up would stand still when its pipe is full: it
 * is tried for ever, and soon. */
void
conf_logger_defaults(struct conf_service *sv)
{
	sv->restart_delay_ms = 200;
	sv->restart_max_ms = 5000;
	sv->restart_limit = 0;
}

/* The service comes after its logger: started later, stopped earlier. */
static void
add_after(struct conf_reader *rd)
{
	struct conf_needs *after = &rd->sv->after;
	char name[CONF_NAME_MAX + sizeof CONF_LOGGER];
	struct conf_need *grown;

	grown = conf_alloc(rd->tree, ((size_t)after->n + 1) * sizeof *grown);
	if (grown == NULL)
		return;
	if (after->n > 0)
		memcpy(grown, after->v, (size_t)after->n * sizeof *grown);
	(void)snprintf(name, sizeof name, "%s" CONF_LOGGER, rd->sv->name);
	grown[after->n].name = conf_copy(rd->tree, name);
	after->v = grown;
	after->n++;
}

void
conf_check_logger(struct conf_reader *rd)
{
	const struct conf_service *sv = rd->sv;

	if (sv->has_logger) {
		if (strlen(sv->name) + strlen(CONF_LOGGER) > CONF_NAME_MAX)
			conf_error(rd, "too long a name for a service with a "
			    "logger of its own; at most %d bytes are right",
			    CONF_NAME_MAX - (int)strlen(CONF_LOGGER));
		else
			add_after(rd);
	}
	if (sv->logs == NULL)
		return;
	if (sv->type != TYPE_DAEMON)
		conf_error_at(rd, "service", "type", "type: a logger is a "
		    "daemon");
	if (sv->sockets.n > 0)
		conf_error_at(rd, "sockets", "listen", "listen: a logger has "
		    "no sockets; it reads its standard input");
	if (sv->ready == READY_FD && sv->ready_fd == 3)
		conf_error_at(rd, "service", "ready", "ready: descriptor 3 is "
		    "a logger's lock; fd:4 is free");
}
