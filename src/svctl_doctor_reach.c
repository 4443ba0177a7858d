/* SPDX-License-Identifier: ISC */
/*
 * Does a container reach the servers that its service needs, and the listener
 * that its environment names? By connecting to them at the address by which
 * its networks know this machine. Where those networks are those of a virtual
 * machine, that says nothing and is not done.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_doctor.h"
#include "svctl_http.h"

#define CONNECT_MS	2000
#define TOKENS		16384

static bool
is_of_this_machine(const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool ours;
	int fd;

	if (inet_pton(AF_INET, address, &in.sin_addr) != 1 ||
	    (fd = socket(AF_INET, SOCK_STREAM, 0)) < 0)
		return false;
	ours = bind(fd, (const struct sockaddr *)&in, sizeof in) == 0;
	(void)close(fd);
	return ours;
}

static void
try_port(struct doctor *d, const struct conf_service *box, const char *server,
    const char *dir, long port, const char *network, const char *gateway)
{
	char url[64], mend[300];
	struct get g;

	if (port == 0)
		return;
	if (!is_of_this_machine(gateway)) {
		doctor_put(d, NOTE, NULL, "not checked: whether container %s "
		    "reaches %s; its network %s is a virtual machine's",
		    box->container->name, server, network);
		return;
	}
	(void)snprintf(url, sizeof url, "tcp://%s:%ld", gateway, port);
	if (get_connect(url, CONNECT_MS, &g) == 0) {
		doctor_put(d, FINE, NULL, "container %s reaches %s at %s:%ld",
		    box->container->name, server, gateway, port);
		return;
	}
	(void)snprintf(mend, sizeof mend, "have it listen on %s as well: edit "
	    "%.200s/service.conf", gateway, dir);
	doctor_put(d, BAD, mend, "container %s cannot reach %s at %s:%ld, the "
	    "host on its network %s: %s", box->container->name, server,
	    gateway, port, network, g.err);
}

static bool
is_llm(const struct conf_service *sv)
{
	return sv != NULL && sv->health->type != NULL &&
	    (ctl_is(sv->health->type, "ollama") ||
	    ctl_is(sv->health->type, "mlx") ||
	    ctl_is(sv->health->type, "openai"));
}

static void
try_all(struct doctor *d, const struct conf_service *box,
    const char *network, const char *gateway)
{
	const struct conf_service *server;
	const struct sv *now;
	int i;

	for (i = 0; i < box->needs.n; i++) {
		server = conf_find(&d->conf, box->needs.v[i].name);
		if (!is_llm(server))
			continue;
		now = doctor_sv(d, server->name);
		if (now != NULL && ctl_is_up(now) &&
		    server->health->url != NULL)
			try_port(d, box, server->name, server->dir,
			    port_in(server->health->url), network, gateway);
	}
}

/* The port at which the container asks the host for recovery: when nobody is
 * there, it says so in no log. 0 when it does not. */
static long
webhook_port(const struct json *j)
{
	static const char name[] = "RECOVERY_WEBHOOK_URL=";
	int list = json_path(j, 0, "Config/Env"), v;
	char text[300];

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v))
		if (json_str(j, v, text, sizeof text) == 0 &&
		    strncmp(text, name, sizeof name - 1) == 0 &&
		    strstr(text, "host.docker.internal:") != NULL)
			return port_in(strstr(text, "host.docker.internal:"));
	return 0;
}

static void
try_webhook(struct doctor *d, const struct conf_service *box, long port,
    const char *network, const char *gateway)
{
	char dir[1100];

	(void)snprintf(dir, sizeof dir, "%s/recovery-listener", d->services);
	try_port(d, box, "recovery-listener", dir, port, network, gateway);
}

void
doctor_reach(struct doctor *d, const struct conf_service *box,
    const char *body, size_t len)
{
	struct json_tok *tok = calloc(TOKENS, sizeof *tok);
	char err[JSON_ERR_LEN], network[80], gateway[48];
	struct json j;
	int list, v;

	if (tok != NULL && json_parse(&j, body, len, tok, TOKENS, err) == 0) {
		list = json_path(&j, 0, "NetworkSettings/Networks");
		for (v = json_first(&j, list); v >= 0;
		    v = json_next(&j, list, v))
			if (json_str(&j, json_get(&j, v, "Gateway"), gateway,
			    sizeof gateway) == 0 && gateway[0] != '\0' &&
			    json_name(&j, v, network, sizeof network) == 0) {
				try_all(d, box, network, gateway);
				try_webhook(d, box, webhook_port(&j),
				    network, gateway);
			}
	}
	free(tok);
}
