/* SPDX-License-Identifier: ISC */
/* macOS: the sandbox has no documented interface for a program of its own. */
#include <sys/resource.h>

#include "confine.h"
#include "log.h"

void
confine_self(const struct confine *c)
{
	if (!c->quiet)
		log_info("not confined: this system offers nothing for "
		    "it");
}

void
confine_core(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}
