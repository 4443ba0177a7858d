/* SPDX-License-Identifier: ISC */
/*
 * The same verb on several hosts at once: their status as one table, all
 * else line by line, each behind the name of its host.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os.h"
#include "svctl_remote.h"

#define SSH_FAILED	255
#define REPLY_MAX	(4u << 20)

struct stream {
	int	 fd;		/* -1: at its end */
	char	*text;
	size_t	 len, cap;
};

struct remote {
	const struct host *host;
	struct stream out, err;
	pid_t	 pid;
	int	 rc;
};

struct many {
	struct ctl *c;
	struct term t;
	struct remote remote[HOSTS_MAX];
	int	 n, width;
	bool	 table;		/* status: gathered, shown at the end */
};

static int
start(struct remote *r, const char *command)
{
	char *argv[SSH_ARGS], mem[1024];
	int out[2], err[2], null;

	if (remote_ssh(r->host, false, true, command, argv, mem,
	    sizeof mem) < 0)
		return -1;
	if (os_pipe(out) < 0)
		return -1;
	if (os_pipe(err) < 0) {
		(void)close(out[0]);
		(void)close(out[1]);
		return -1;
	}
	if ((r->pid = fork()) == 0) {
		if ((null = open("/dev/null", O_RDONLY)) >= 0)
			(void)dup2(null, STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)dup2(err[1], STDERR_FILENO);
		os_reset_signals();
		(void)execvp(argv[0], argv);
		_exit(SSH_FAILED);
	}
	(void)close(out[1]);
	(void)close(err[1]);
	r->out.fd = out[0];
	r->err.fd = err[0];
	return r->pid < 0 ? -1 : 0;
}

static void
put_line(const struct many *m, const struct remote *r, const char *line,
    size_t len, FILE *to)
{
	/* An object keeps its form and says where it comes from. */
	if (m->c->json && to == stdout && len > 1 && line[0] == '{') {
		(void)printf("{\"host\":\"%s\"%s%.*s\n", r->host->name,
		    line[1] == '}' ? "" : ",", (int)len - 1, line + 1);
		return;
	}
	(void)fprintf(to, "%s%-*s |%s %.*s\n", to == stdout ?
	    ctl_hue(&m->t, HUE_BUSY) : "", m->width, r->host->name,
	    to == stdout ? ctl_hue(&m->t, HUE_NONE) : "", (int)len, line);
}

/* Whole lines are printed; at its end the rest as well. */
static void
put_lines(const struct many *m, const struct remote *r, struct stream *s,
    FILE *to, bool end)
{
	char *eol, *at = s->text;
	size_t left = s->len;

	while (left > 0 && (eol = memchr(at, '\n', left)) != NULL) {
		put_line(m, r, at, (size_t)(eol - at), to);
		left -= (size_t)(eol + 1 - at);
		at = eol + 1;
	}
	if (end && left > 0) {
		put_line(m, r, at, left, to);
		left = 0;
	}
	if (left > 0)
		memmove(s->text, at, left);
	s->len = left;
}

static void
take(const struct many *m, const struct remote *r, struct stream *s,
    FILE *to)
{
	bool kept = m->table && to == stdout;
	char *grown;
	ssize_t n;

	if (s->len + 4096 > s->cap) {
		grown = s->cap < REPLY_MAX ? realloc(s->text, s->cap * 2 +
		    16384) : NULL;
		if (grown == NULL) {
			s->len = 0;	/* one endless line */
		} else {
			s->text = grown;
			s->cap = s->cap * 2 + 16384;
		}
	}
	n = read(s->fd, s->text + s->len, s->cap - s->len);
	if (n > 0)
		s->len += (size_t)n;
	if (!kept)
		put_lines(m, r, s, to, n <= 0);
	if (n <= 0) {
		(void)close(s->fd);
		s->fd = -1;
	}
}

/* Until all have closed their outputs; false: nobody reads ours. */
static bool
pump(struct many *m)
{
	struct pollfd pfd[2 * HOSTS_MAX];
	struct remote *r;
	int i, open;

	for (;;) {
		for (i = open = 0; i < m->n; i++) {
			r = &m->remote[i];
			pfd[2 * i] = (struct pollfd){ r->out.fd, POLLIN, 0 };
			pfd[2 * i + 1] = (struct pollfd){ r->err.fd, POLLIN,
			    0 };
			open += (r->out.fd >= 0) + (r->err.fd >= 0);
		}
		if (open == 0)
			return true;
		if (poll(pfd, 2 * (nfds_t)m->n, -1) < 0 && errno != EINTR)
			return false;
		for (i = 0; i < m->n; i++) {
			r = &m->remote[i];
			if (pfd[2 * i].revents != 0)
				take(m, r, &r->out, stdout);
			if (pfd[2 * i + 1].revents != 0)
				take(m, r, &r->err, stderr);
		}
		if (fflush(stdout) != 0)
			return false;
	}
}

static int
reap(struct remote *r)
{
	int status = 0;

	while (r->pid > 0 && waitpid(r->pid, &status, 0) < 0 &&
	    errno == EINTR)
		continue;
	if (r->pid > 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) != SSH_FAILED)
		return WEXITSTATUS(status);
	(void)fprintf(stderr, "svctl: %s cannot be reached; does ssh %s "
	    "work?\n", r->host->name, r->host->name);
	return CTL_NO_HOST;
}

struct placing {
	struct list *list;
	const char *host;
};

static void
place(void *arg, const struct sv *sv)
{
	struct placing *p = arg;
	struct sv there = *sv;

	(void)strlcpy(there.host, p->host, sizeof there.host);
	ctl_gather(p->list, &there);
}

/* The services of one host, from its JSON, into the common list. */
static void
add_reply(struct list *all, const struct remote *r)
{
	struct placing p = { all, r->host->name };
	int ntok = (int)(r->out.len / 2) + 16;
	struct json_tok *tok = calloc((size_t)ntok, sizeof *tok);
	char err[JSON_ERR_LEN];
	size_t len = r->out.len;
	struct json j;

	while (len > 0 && r->out.text[len - 1] == '\n')
		len--;
	if (tok != NULL && len > 0 && json_parse(&j, r->out.text, len, tok,
	    ntok, err) == 0)
		ctl_walk(&j, json_get(&j, 0, "services"), place, &p);
	free(tok);
}

static void
show_table(const struct many *m)
{
	struct list all = { .sv = NULL };
	int i;

	for (i = 0; i < m->n; i++)
		add_reply(&all, &m->remote[i]);
	if (!m->c->quiet && all.n > 0)
		ctl_print_table(&all, m->c->opt[OPT_TREE] != NULL);
	ctl_list_free(&all);
}

static int
start_all(struct many *m, const struct host *host)
{
	const char *svctl = getenv("SVCTL_REMOTE");
	char command[REMOTE_LEN];
	int i;

	if (remote_command(m->c, svctl != NULL ? svctl : "svctl", m->table ?
	    "--json" : NULL, command, sizeof command) < 0) {
		(void)fprintf(stderr, "svctl: that is too long for a command "
		    "line there\n");
		return -1;
	}
	for (i = 0; i < m->n; i++) {
		m->remote[i].host = &host[i];
		m->remote[i].out.fd = m->remote[i].err.fd = -1;
		if ((int)strlen(host[i].name) > m->width)
			m->width = (int)strlen(host[i].name);
		if (start(&m->remote[i], command) < 0)
			return -1;
	}
	return 0;
}

int
remote_many(struct ctl *c, const struct host *host, int n)
{
	static struct many m;
	int i, rc, worst = CTL_OK;

	if (ctl_is(c->verb->name, "top") || ctl_is(c->verb->name, "init")) {
		(void)fprintf(stderr, "svctl: %s is for one host at a "
		    "time\n", c->verb->name);
		return CTL_USAGE;
	}
	m.c = c;
	m.n = n;
	m.t = ctl_term(stdout);
	m.table = ctl_is(c->verb->name, "status") && !c->json &&
	    c->opt[OPT_NAMES] == NULL;
	if (start_all(&m, host) < 0)
		worst = CTL_FAILED;
	else if (!pump(&m))
		for (i = 0; i < n; i++)
			if (m.remote[i].pid > 0)
				(void)kill(m.remote[i].pid, SIGTERM);
	if (m.table)
		show_table(&m);
	for (i = 0; i < n; i++) {
		if (m.remote[i].pid <= 0)
			continue;
		rc = reap(&m.remote[i]);
		worst = rc > worst ? rc : worst;
		free(m.remote[i].out.text);
		free(m.remote[i].err.text);
	}
	return worst;
}
