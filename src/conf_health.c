/* SPDX-License-Identifier: ISC */
/*
 * What a [health] section must hold for its type of probe. Reads, never
 * changes.
 */
#include <netinet/in.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_private.h"

static const struct {
	const char	*type, *scheme;	/* NULL: no url */
	bool		 is_deep;	/* can be asked for a token */
	bool		 names_model;	/* ... of a model that must be named */
} types[] = {
	{ "ollama", "http://", true, false },
	{ "mlx", "http://", true, true },
	{ "openai", "http://", true, true },
	{ "http", "http://", false, false },
	{ "tcp", "tcp://", false, false },
	{ "exec", NULL, false, false },
	{ "docker", NULL, false, false },
	{ NULL, NULL, false, false }
};

/* tcp://127.0.0.1:5432: an address, as names may take long to resolve. */
static bool
is_tcp_address(const char *url)
{
	const char *host = url + strlen("tcp://"), *wrong;
	const char *colon = strrchr(host, ':');
	unsigned char address[16];
	char text[64];
	int len;

	if (colon == NULL)
		return false;
	(void)strtonum(colon + 1, 1, UINT16_MAX, &wrong);
	if (wrong != NULL)
		return false;
	len = (int)(colon - host);
	if (host[0] == '[' && len > 2 && host[len - 1] == ']') {
		(void)snprintf(text, sizeof text, "%.*s", len - 2, host + 1);
		return inet_pton(AF_INET6, text, address) == 1;
	}
	(void)snprintf(text, sizeof text, "%.*s", len, host);
	return strcmp(text, "localhost") == 0 ||
	    inet_pton(AF_INET, text, address) == 1;
}

static void
check_url(struct conf_reader *rd, const char *type, const char *scheme)
{
	const char *url = rd->sv->health->url;

	if (url == NULL)
		conf_error_at(rd, "health", "type", "type: %s wants a url",
		    type);
	else if (strncmp(url, scheme, strlen(scheme)) != 0)
		conf_error_at(rd, "health", "url", "url: type %s wants "
		    "%sHOST:PORT", type, scheme);
	else if (strcmp(scheme, "tcp://") == 0 && !is_tcp_address(url))
		conf_error_at(rd, "health", "url", "url: type tcp wants an "
		    "address such as tcp://127.0.0.1:5432 or "
		    "tcp://[::1]:5432");
}

static void
check_also(struct conf_reader *rd, const char *type, const char *scheme)
{
	const char *url = rd->sv->health->also;

	if (url == NULL)
		return;
	if (scheme == NULL || strcmp(scheme, "http://") != 0)
		conf_error_at(rd, "health", "also", "also: type %s has no "
		    "other address; leave it out", type);
	else if (strncmp(url, scheme, strlen(scheme)) != 0)
		conf_error_at(rd, "health", "also", "also: it wants "
		    "http://HOST:PORT");
}

static void
check_path(struct conf_reader *rd, const char *key, const char *path)
{
	if (path != NULL && path[0] != '/')
		conf_error_at(rd, "health", key, "%s: '%.80s' is no path; "
		    "one that begins with / is right", key, path);
}

/* Zero would be asked without a pause, or never be answered in time. */
static void
check_times(struct conf_reader *rd)
{
	const struct conf_health *h = rd->sv->health;

	if (h->interval_ms < 10)
		conf_error_at(rd, "health", "interval", "interval: at least "
		    "10ms is right, 10s is usual");
	if (h->timeout_ms < 10)
		conf_error_at(rd, "health", "timeout", "timeout: at least "
		    "10ms is right, 3s is usual");
	if (h->deep_ms > 0 && h->deep_timeout_ms < 10)
		conf_error_at(rd, "health", "deep-timeout", "deep-timeout: "
		    "at least 10ms is right, 30s is usual");
}

static void
check_container(struct conf_reader *rd)
{
	if (rd->sv->health->live != NULL || rd->sv->health->ready != NULL)
		conf_error_at(rd, "health", rd->sv->health->live != NULL ?
		    "live" : "ready", "type docker asks no path; leave it "
		    "out");
	if (rd->sv->container->name == NULL)
		conf_error_at(rd, "health", "type", "type: docker wants a "
		    "container; [container] name = NAME is missing");
}

void
conf_check_health(struct conf_reader *rd)
{
	const struct conf_health *h = rd->sv->health;
	int i;

	if (h->type == NULL)
		return;
	for (i = 0; types[i].type != NULL; i++)
		if (strcmp(types[i].type, h->type) == 0)
			break;
	if (types[i].type == NULL)
		return;
	if (types[i].scheme != NULL)
		check_url(rd, h->type, types[i].scheme);
	else if (strcmp(h->type, "docker") == 0)
		check_container(rd);
	else if (h->command.n == 0)
		conf_error_at(rd, "health", "type", "type: exec wants a "
		    "command");
	else
		conf_check_program(rd, "health", "command", h->command.v[0]);
	check_also(rd, h->type, types[i].scheme);
	check_path(rd, "live", h->live);
	check_path(rd, "ready", h->ready);
	check_times(rd);
	if (h->deep_ms > 0 && !types[i].is_deep)
		conf_error_at(rd, "health", "deep", "deep: type %s computes "
		    "no tokens; leave it out", h->type);
	else if (h->deep_ms > 0 && types[i].names_model && h->models.n == 0)
		conf_error_at(rd, "health", "deep", "deep: type %s wants "
		    "models, whose first one is asked", h->type);
}
