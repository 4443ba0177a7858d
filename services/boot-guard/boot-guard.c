/* SPDX-License-Identifier: ISC */
/*
 * boot-guard: holds back what may have taken the machine down. It is ready,
 * and so are the needs of those that need it, unless too many boots in a row
 * have ended without a shutdown. boot_mark.c counts them; here are the
 * command line, the file, and the wait.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_mark.h"
#include "client.h"
#include "conf.h"
#include "die.h"
#include "keep.h"
#include "log.h"
#include "os.h"
#include "self.h"
#include "usage.h"

#define LIMIT		2
#define SETTLE_MS	600000

static const char usage_text[] =
"usage: boot-guard [-hV] [-n COUNT] [-s TIME]\n"
"  -n, --limit COUNT   unclean boots in a row that hold (2)\n"
"  -s, --settle TIME   a boot that lasted so long is no crash (10m)\n"
"      --boot ID       take ID for the identity of this boot (for tests)\n"
"  -h, --help          this text\n"
"  -V, --version       the version\n";

static const struct option options[] = {
	{ "limit",	required_argument,	NULL,	'n' },
	{ "settle",	required_argument,	NULL,	's' },
	{ "boot",	required_argument,	NULL,	'b' },
	{ "help",	no_argument,		NULL,	'h' },
	{ "version",	no_argument,		NULL,	'V' },
	{ NULL,		0,			NULL,	0 },
};

static const struct usage usage = { "boot-guard", usage_text, "hVn:s:",
    options };

struct guard {
	char	 path[KEEP_PATH_MAX];
	char	 boot[64];
	int	 limit;
	int64_t	 settle_ms;
	struct boot_mark mark;
};

static int
parse_limit(const char *text)
{
	const char *wrong;
	int n = (int)strtonum(text, 1, 1000, &wrong);

	if (wrong != NULL)
		diex(EXIT_USAGE, "limit %s: wanted is a number from 1 to "
		    "1000", text);
	return n;
}

static void
parse(struct guard *g, int argc, char **argv)
{
	int c;

	while ((c = usage_next(&usage, argc, argv)) != -1)
		switch (c) {
		case 'n':
			g->limit = parse_limit(optarg);
			break;
		case 's':
			if ((g->settle_ms = conf_duration(optarg)) < 0)
				diex(EXIT_USAGE, "settle %s: wanted is a "
				    "time such as 10m", optarg);
			break;
		case 'b':
			(void)snprintf(g->boot, sizeof g->boot, "%s", optarg);
			break;
		}
	usage_no_operand(argc, argv);
}

static void
save(const struct guard *g)
{
	char text[160];
	int n = boot_mark_write(&g->mark, text, sizeof text);

	/* Without it nothing would ever be held, and nobody would know. */
	if (keep_write(g->path, text, (size_t)n) < 0)
		die(EXIT_SYSTEM, "write %s", g->path);
}

static void
begin(struct guard *g)
{
	struct boot_mark before;
	char text[160];
	int known = -1;

	if (keep_read(g->path, text, sizeof text) >= 0) {
		known = boot_mark_read(text, &before);
		if (known < 0)
			log_warnx("%s holds no mark: the count begins anew",
			    g->path);
	} else if (errno != ENOENT) {
		die(EXIT_SYSTEM, "read %s", g->path);
	}
	boot_mark_next(known == 0 ? &before : NULL, g->boot, g->limit,
	    &g->mark);
	save(g);
}

static void
tell(const struct guard *g)
{
	char words[120];

	if (!g->mark.held) {
		log_info("boots without a shutdown so far: %d",
		    g->mark.unclean);
		self_health("ok", "holds nothing back");
		self_text("%s", "");
		(void)notify_send("READY=1");
		return;
	}
	(void)snprintf(words, sizeof words, "%d boots in a row ended without "
	    "a shutdown", g->mark.unclean);
	self_health("failing", words);
	self_text("holds back what needs it; svctl restart %s lets it go",
	    self_name("boot-guard"));
	self_incident("holds back what needs it: %s", words);
}

/* The boot has lasted: what was started in it does not take it down. */
static void
settle(struct guard *g)
{
	if (g->mark.held || g->mark.unclean == 0)
		return;
	log_info("this boot has lasted: the count is 0 again");
	g->mark.unclean = 0;
	save(g);
}

/* Until we are told to stop. */
static void
watch(struct guard *g)
{
	int64_t settle_at = os_now_ms() + g->settle_ms, next, now;
	struct os_event ev;

	for (;;) {
		next = self_flush(os_now_ms());
		if (settle_at >= 0 && settle_at < next)
			next = settle_at;
		if (os_wait(next == INT64_MAX ? -1 : next, &ev, 1) == 1 &&
		    (ev.what & OS_SIGNAL) != 0)
			return;
		now = os_now_ms();
		if (settle_at >= 0 && now >= settle_at) {
			settle(g);
			settle_at = -1;
		}
	}
}

int
main(int argc, char **argv)
{
	static const int signals[] = { SIGTERM, SIGINT, 0 };
	struct guard g = { .limit = LIMIT, .settle_ms = SETTLE_MS };

	log_open("boot-guard");
	parse(&g, argc, argv);
	if (g.boot[0] == '\0' && os_boot_id(g.boot) < 0)
		die(EXIT_SYSTEM, "find the identity of this boot");
	if (keep_path(self_name("boot-guard"), g.path, sizeof g.path) < 0)
		diex(EXIT_USAGE, "SVTREE_STATE is not set: it is run by "
		    "svtree, as a service");
	if (os_open() < 0 || os_signals(signals) < 0)
		die(EXIT_SYSTEM, "take signals");
	begin(&g);
	tell(&g);
	watch(&g);
	g.mark.clean = true;
	save(&g);
	return 0;
}
