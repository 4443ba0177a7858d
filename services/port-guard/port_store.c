/* SPDX-License-Identifier: ISC */
/*
 * Waits until the user that we are can use the server's model store, and tells
 * what is in the way: a server that starts without it answers with no models,
 * or is restarted in vain.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "os.h"
#include "port_wait.h"
#include "report.h"
#include "store.h"

#define LOOK_MS	2000

static const char *
own_env(const void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

void
port_wait_store(const struct guard *g)
{
	const struct store_user u = { .uid = geteuid(), .gid = getegid(),
	    .home = getenv("HOME"), .env = own_env, .models = g->models };
	char why[120], mend[120], told[sizeof why] = "";
	struct report r = { .health = "failing", .reason = why,
	    .text = mend };
	bool sent = true;

	while (!store_fits(g->store, &u, why, sizeof why, mend, sizeof mend)) {
		if (strcmp(why, told) != 0 || !sent) {
			log_info("the model store: %s; %s", why, mend);
			(void)notify_sendf("STATUS=%s", mend);
			port_report(g, &r, &sent);
			(void)memcpy(told, why, sizeof told);
		}
		(void)port_pause(LOOK_MS);
	}
	if (told[0] == '\0')
		return;
	log_info("the model store can be used");
	(void)notify_send("STATUS=");
	r = (struct report){ .health = "unknown", .text = "",
	    .reason = "the model store can be used" };
	port_report(g, &r, &sent);
}

void
port_tell_no_program(const struct guard *g, const char *program,
    const char *why)
{
	char words[200];
	const struct report r = { .incident = words, .text = words };
	bool sent;

	(void)snprintf(words, sizeof words, "cannot execute %.60s: %s; "
	    "install it, or give its absolute path", program, why);
	port_report(g, &r, &sent);
}
