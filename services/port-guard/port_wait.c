/* SPDX-License-Identifier: ISC */
/*
 * Waits until ports are free: watches the holder where the system lets us,
 * looks again where not, tells the operator once for each holder, and sends
 * a holder away when that is the policy. It does not fight: after a few
 * holders in a row it only waits. It knows nothing of what runs afterwards.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launcher.h"
#include "log.h"
#include "os.h"
#include "port_look.h"
#include "port_wait.h"
#include "report.h"

#define WATCHED_MS	5000	/* it may let go of the port and live on */
#define UNNAMED_MS	1000
#define TERM_MS		5000
#define KILL_MS		2000
#define EVICTIONS_MAX	3

struct telling {
	char	 words[160];	/* of the holder that was told of */
	bool	 sent;		/* the supervisor has it */
};

void
port_report(const struct guard *g, const struct report *r, bool *sent)
{
	char err[CLIENT_ERR_LEN];
	int rc;

	*sent = true;
	if (g->service == NULL)
		return;
	if ((rc = report_send(g->service, r, err)) == 0)
		return;
	log_warnx("tell the supervisor: %s", err);
	*sent = rc > 0;		/* it has answered no: never again */
}

static void
put_advice(const struct guard *g, const struct port_holder *h, char *dst,
    size_t cap)
{
	char launcher[72] = "";

	if (g->adopt && h->pid <= 0) {
		(void)snprintf(dst, cap, "watches who has it, port %u; ours "
		    "starts when it ends", (unsigned)h->port);
		return;
	}
	if (g->adopt) {
		(void)snprintf(dst, cap, "watches pid %ld (%.20s, user %.16s) "
		    "on port %u; ours starts when it ends", (long)h->pid,
		    h->name, h->user, (unsigned)h->port);
		return;
	}
	if (h->pid > 0)
		launcher_advice(h->pid, h->name, launcher, sizeof launcher);
	if (launcher[0] != '\0')
		(void)snprintf(dst, cap, "waits for port %u: %s",
		    (unsigned)h->port, launcher);
	else if (h->pid > 0 && g->evict)
		(void)snprintf(dst, cap, "waits for port %u: evicting is of "
		    "no use, stop pid %ld's service", (unsigned)h->port,
		    (long)h->pid);
	else if (h->pid > 0)
		(void)snprintf(dst, cap, "waits for port %u: kill %ld, stop "
		    "its service, or policy = evict",
		    (unsigned)h->port, (long)h->pid);
	else
		(void)snprintf(dst, cap, "waits for port %u: sudo lsof -nP "
		    "-iTCP:%u tells who has it", (unsigned)h->port,
		    (unsigned)h->port);
}

static void
tell(const struct guard *g, const struct port_holder *h, struct telling *t)
{
	char words[sizeof t->words], advice[120];
	struct report r = { .text = advice, .reason = words };

	port_words(h, words, sizeof words);
	if (strcmp(words, t->words) == 0 && t->sent)
		return;
	put_advice(g, h, advice, sizeof advice);
	if (!g->expected)
		r.health = "failing";
	if (strcmp(words, t->words) != 0) {
		if (h->pid > 0 && !g->evict && !g->adopt)
			log_info("%s; stop it there (kill %ld, brew services "
			    "stop, ...) or set policy = evict", words,
			    (long)h->pid);
		else
			log_info("%s; %s", words, advice);
		(void)notify_sendf("STATUS=%s", advice);
	}
	(void)memcpy(t->words, words, sizeof t->words);
	port_report(g, &r, &t->sent);
}

static void
tell_free(const struct guard *g, const struct telling *t)
{
	struct report r = { .text = "", .reason = "the port is free" };
	bool sent;

	if (t->words[0] == '\0')
		return;
	if (!g->expected)
		r.health = "unknown";
	log_info("%s no more", t->words);
	(void)notify_send("STATUS=");
	port_report(g, &r, &sent);
}

/* Until the process that is watched has exited, or ms are over. */
bool
port_pause(int64_t ms)
{
	int64_t deadline = os_now_ms() + ms;
	struct os_event ev;

	while (os_now_ms() < deadline)
		if (os_wait(deadline, &ev, 1) == 1 && (ev.what & OS_EXIT) != 0)
			return true;
	return false;
}

static void
wait_for(const struct port_holder *h)
{
	int handle = -1;

	if (h->pid > 0 && h->start != 0)
		handle = os_watch_proc(h->pid, h->start, 1);
	(void)port_pause(handle >= 0 ? WATCHED_MS : UNNAMED_MS);
	os_unwatch_proc(handle);
}

/* TERM, and KILL for who holds on. 0 the port may be free now. */
static int
send_away(const struct port_holder *h, int handle)
{
	if (os_kill(h->pid, h->start, handle, SIGTERM) < 0)
		return errno == ESRCH ? 0 : -1;
	/* A server that has closed its port may take its time to clean up. */
	if (port_pause(TERM_MS) || !port_is_taken(h->port))
		return 0;
	log_warnx("pid %ld (%s) is there %d s after SIGTERM: SIGKILL",
	    (long)h->pid, h->name, TERM_MS / 1000);
	if (os_kill(h->pid, h->start, handle, SIGKILL) < 0)
		return errno == ESRCH ? 0 : -1;
	(void)port_pause(KILL_MS);
	return 0;
}

static bool
evict(const struct guard *g, const struct port_holder *h)
{
	struct report r = { .incident = NULL };
	char words[200];
	int handle, rc;
	bool sent;

	/* init and launchd hold sockets for others; our parent is svtree. */
	if (h->start == 0 || h->pid <= 1 || h->pid == getppid())
		return false;
	if ((handle = os_watch_proc(h->pid, h->start, 1)) < 0)
		return errno == ESRCH;
	rc = send_away(h, handle);
	if (rc < 0)
		log_warn("evict pid %ld (%s, user %s) from port %u",
		    (long)h->pid, h->name, h->user, (unsigned)h->port);
	os_unwatch_proc(handle);
	if (rc < 0)
		return false;
	(void)snprintf(words, sizeof words, "evicted pid %ld (%s, user %s) "
	    "from port %u", (long)h->pid, h->name, h->user,
	    (unsigned)h->port);
	log_info("%s", words);
	r.incident = words;
	port_report(g, &r, &sent);
	return true;
}

/* The first port that is taken. */
static bool
look_all(const struct guard *g, struct port_holder *h)
{
	int i;

	for (i = 0; i < g->nports; i++) {
		port_look(g->port[i], h);
		if (h->taken)
			return true;
	}
	return false;
}

void
port_wait_free(const struct guard *g)
{
	struct telling told = { .words = "", .sent = true };
	struct port_holder h;
	int evictions = 0;

	while (look_all(g, &h)) {
		if (g->evict && evictions < EVICTIONS_MAX) {
			evictions++;
			if (evict(g, &h))
				continue;
			evictions = EVICTIONS_MAX;
		}
		tell(g, &h, &told);
		wait_for(&h);
	}
	tell_free(g, &told);
}
