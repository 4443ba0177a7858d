/* SPDX-License-Identifier: ISC */
/*
 * Hosts and command lines of svctl -H. Pure.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "svctl_remote.h"

/* host:2222, but not ::1 and not [::1]. */
static void
take_port(struct host *h)
{
	char *colon = strchr(h->name, ':');
	const char *p;

	if (colon == NULL || strchr(colon + 1, ':') != NULL ||
	    colon[1] == '\0' || strlen(colon + 1) >= sizeof h->port)
		return;
	for (p = colon + 1; *p != '\0'; p++)
		if (!isdigit((unsigned char)*p))
			return;
	(void)strlcpy(h->port, colon + 1, sizeof h->port);
	*colon = '\0';
}

int
remote_hosts(const char *text, struct host *host, int max, char *err,
    size_t cap)
{
	size_t len;
	int n = 0;

	for (; *text != '\0'; text += len + (text[len] == ',')) {
		len = strcspn(text, ",");
		if (len == 0)
			continue;
		if (n == max || len >= sizeof host[n].name) {
			(void)snprintf(err, cap, "at most %d hosts of at "
			    "most %zu letters", max,
			    sizeof host[n].name - 1);
			return -1;
		}
		memset(&host[n], 0, sizeof host[n]);
		(void)snprintf(host[n].name, sizeof host[n].name, "%.*s",
		    (int)len, text);
		/* ssh would take it for an option. */
		if (host[n].name[0] == '-' || strpbrk(host[n].name, " \t\n'")
		    != NULL) {
			(void)snprintf(err, cap, "%s is no host; user@host "
			    "or host:port would be one", host[n].name);
			return -1;
		}
		take_port(&host[n++]);
	}
	if (n == 0)
		(void)snprintf(err, cap, "no host; user@host would be one");
	return n == 0 ? -1 : n;
}

/* One word for a shell, whichever it is. */
static void
put_word(struct buf *b, const char *word)
{
	buf_puts(b, " '");
	for (; *word != '\0'; word++)
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *word);
	buf_putc(b, '\'');
}

int
remote_command(const struct ctl *c, const char *svctl, const char *extra,
    char *dst, size_t cap)
{
	char option[64];
	struct buf b;
	int i;

	buf_init(&b, dst, cap);
	/* A login by ssh without a terminal has a short PATH on a Mac. */
	buf_puts(&b, "sh -c 'PATH=\"$PATH:/usr/local/bin:/opt/homebrew/bin\"; "
	    "export PATH; exec \"$0\" \"$@\"'");
	put_word(&b, svctl);
	if (extra != NULL)
		put_word(&b, extra);
	for (i = 0; i < OPT_COUNT; i++) {
		if (c->opt[i] == NULL || i == OPT_HOST)
			continue;
		(void)snprintf(option, sizeof option, "--%s",
		    svctl_options[i].name);
		put_word(&b, option);
		if (svctl_options[i].arg != NULL)
			put_word(&b, c->opt[i]);
	}
	put_word(&b, c->verb->name);
	if (c->n > 0)
		put_word(&b, "--");
	for (i = 0; i < c->n; i++)
		put_word(&b, c->name[i]);
	(void)buf_cstr(&b);
	return b.overflow ? -1 : 0;
}
