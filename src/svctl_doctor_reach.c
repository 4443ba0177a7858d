/* SPDX-License-Identifier: ISC */
/*
 * Does a container reach the servers that its service needs, and the listener
 * that its environment names? By connecting to them at the address by which
 * its networks, or its extra_hosts, know this machine. Where the networks are
 * those of a virtual machine, that says nothing and is not done.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_doctor.h"
#include "svctl_http.h"

#define CONNECT_MS	2000
#define TOKENS		16384

/* By what a container knows this machine: the gateway of a network, and what
 * it was told host.docker.internal is, "" nothing. */
struct way {
	char	 network[80], gateway[48], alias[48];
};

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

static bool
connects(const char *address, long port, struct get *g)
{
	char url[64];

	(void)snprintf(url, sizeof url, "tcp://%s:%ld", address, port);
	return get_connect(url, CONNECT_MS, g) == 0;
}

static void
try_port(struct doctor *d, const struct conf_service *box, const char *server,
    const char *dir, long port, const struct way *w)
{
	const char *at = w->gateway;
	char mend[300];
	struct get g;

	if (port == 0)
		return;
	if (!is_of_this_machine(w->gateway)) {
		doctor_put(d, NOTE, NULL, "not checked: whether container %s "
		    "reaches %s; its network %s is a virtual machine's",
		    box->container->name, server, w->network);
		return;
	}
	if (connects(at, port, &g) || (w->alias[0] != '\0' &&
	    connects(at = w->alias, port, &g))) {
		doctor_put(d, FINE, NULL, "container %s reaches %s at %s:%ld",
		    box->container->name, server, at, port);
		return;
	}
	(void)snprintf(mend, sizeof mend, "have it listen on %s as well: edit "
	    "%.200s/service.conf", at, dir);
	doctor_put(d, BAD, mend, "container %s cannot reach %s at %s:%ld, "
	    "%s%s: %s", box->container->name, server, at, port,
	    at == w->alias ? "its host.docker.internal" :
	    "the host on its network ", at == w->alias ? "" : w->network,
	    g.err);
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
try_all(struct doctor *d, const struct conf_service *box, const struct way *w)
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
			    port_in(server->health->url), w);
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
    const struct way *w)
{
	char dir[1100];

	(void)snprintf(dir, sizeof dir, "%s/recovery-listener", d->services);
	try_port(d, box, "recovery-listener", dir, port, w);
}

/* What Docker calls host-gateway, unless it was told otherwise: the address
 * of its own bridge, whatever network the container is in. */
static void
find_bridge(char *dst, size_t cap)
{
	struct ifaddrs *all, *i;

	if (getifaddrs(&all) < 0)
		return;
	for (i = all; i != NULL; i = i->ifa_next)
		if (i->ifa_addr != NULL && i->ifa_addr->sa_family == AF_INET &&
		    strcmp(i->ifa_name, "docker0") == 0)
			(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)
			    (const void *)i->ifa_addr)->sin_addr, dst,
			    (socklen_t)cap);
	freeifaddrs(all);
}

static void
find_alias(const struct json *j, struct way *w)
{
	static const char name[] = "host.docker.internal:";
	int list = json_path(j, 0, "HostConfig/ExtraHosts"), v;
	struct in_addr in;
	char text[80];

	for (v = json_first(j, list); v >= 0; v = json_next(j, list, v))
		if (json_str(j, v, text, sizeof text) == 0 &&
		    strncmp(text, name, sizeof name - 1) == 0)
			(void)strlcpy(w->alias, text + sizeof name - 1,
			    sizeof w->alias);
	if (strcmp(w->alias, "host-gateway") == 0)
		find_bridge(w->alias, sizeof w->alias);
	if (inet_pton(AF_INET, w->alias, &in) != 1)
		w->alias[0] = '\0';
}

void
doctor_reach(struct doctor *d, const struct conf_service *box,
    const char *body, size_t len)
{
	struct json_tok *tok = calloc(TOKENS, sizeof *tok);
	char err[JSON_ERR_LEN];
	struct way w = { .alias = "" };
	struct json j;
	int list, v;

	if (tok != NULL && json_parse(&j, body, len, tok, TOKENS, err) == 0) {
		find_alias(&j, &w);
		list = json_path(&j, 0, "NetworkSettings/Networks");
		for (v = json_first(&j, list); v >= 0;
		    v = json_next(&j, list, v))
			if (json_str(&j, json_get(&j, v, "Gateway"), w.gateway,
			    sizeof w.gateway) == 0 && w.gateway[0] != '\0' &&
			    json_name(&j, v, w.network, sizeof w.network) ==
			    0) {
				try_all(d, box, &w);
				try_webhook(d, box, webhook_port(&j), &w);
			}
	}
	free(tok);
}
