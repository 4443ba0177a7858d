/* SPDX-License-Identifier: ISC */
/*
 * The tables of verbs and options. Data only.
 */
#include <stddef.h>
#include <string.h>

#include "svctl_verbs.h"

#define WAITS	(OPT(NO_WAIT) | OPT(TIMEOUT))
#define LOOK	"Look"
#define ACT	"Act"
#define TREE	"The tree"

const struct opt_row svctl_options[OPT_COUNT] = {
	[OPT_RUN] = { "run", 0, "DIR", WORD_DIR,
	    "the tree of this run directory (or $SVTREE_RUN)" },
	[OPT_HOST] = { "host", 'H', "HOST,...", WORD_HOST,
	    "there, by ssh: user@host:port; several by commas" },
	[OPT_JSON] = { "json", 'j', NULL, WORD_NONE, "JSON, for programs" },
	[OPT_QUIET] = { "quiet", 'q', NULL, WORD_NONE,
	    "say nothing but errors: the exit status tells" },
	[OPT_NO_WAIT] = { "no-wait", 0, NULL, WORD_NONE,
	    "do not wait for the effect" },
	[OPT_TIMEOUT] = { "timeout", 't', "TIME", WORD_DURATION,
	    "wait so long: 30 (seconds), 10s, 5m; default 60s" },
	[OPT_TREE] = { "tree", 0, NULL, WORD_NONE,
	    "those that need a service below it" },
	[OPT_NAMES] = { "names", 0, NULL, WORD_NONE, "the names alone" },
	[OPT_FOLLOW] = { "follow", 'f', NULL, WORD_NONE,
	    "and what comes, until interrupted" },
	[OPT_LINES] = { "lines", 'n', "N", WORD_COUNT,
	    "so many of the last lines" },
	[OPT_SINCE] = { "since", 'S', "TIME", WORD_TIME,
	    "what came later: 10m (ago), 14:30, 2026-11-24, ..." },
	[OPT_GREP] = { "grep", 'g', "REGEX", WORD_PATTERN,
	    "lines that match an extended regular expression" },
	[OPT_UP] = { "up", 0, NULL, WORD_NONE, "until UP (the default)" },
	[OPT_DOWN] = { "down", 0, NULL, WORD_NONE, "until DOWN" },
	[OPT_HEALTHY] = { "healthy", 0, NULL, WORD_NONE,
	    "until UP and healthy" },
	[OPT_DRY_RUN] = { "dry-run", 0, NULL, WORD_NONE,
	    "only tell what would change" },
	[OPT_YES] = { "yes", 'y', NULL, WORD_NONE, "ask nothing" },
	[OPT_PRINT] = { "print", 0, NULL, WORD_NONE,
	    "print the file and do nothing" },
	[OPT_USER] = { "user", 0, NULL, WORD_NONE,
	    "a job of the user's session" },
	[OPT_SYSTEM] = { "system", 0, NULL, WORD_NONE,
	    "a job of the machine (the default for root)" },
	[OPT_MANAGER] = { "manager", 0, "NAME", WORD_MANAGER,
	    "systemd or launchd, not that of this system" },
	[OPT_CRITICAL] = { "critical", 0, "NAME,...", WORD_PATTERN,
	    "services of a compose file that must be up" },
	[OPT_SERVICES] = { "services", 0, "DIR", WORD_DIR,
	    "the directory of definitions to write to" },
	[OPT_ROOT] = { "root", 0, "DIR", WORD_DIR,
	    "the machine below DIR: an image, a chroot" },
	[OPT_DEEP] = { "deep", 0, NULL, WORD_NONE,
	    "ask for one token of each server's loaded model, too" },
	[OPT_HELP] = { "help", 'h', NULL, WORD_NONE,
	    "this text, or that of a verb" },
	[OPT_VERSION] = { "version", 'V', NULL, WORD_NONE, "the version" },
};

const struct verb svctl_verbs[] = {
{ "status", "[NAME...]", "a table of all; of one NAME all that is known",
    LOOK, 0, -1, WORD_SERVICE, OPT(TREE) | OPT(NAMES), NULL, false },
{ "explain", "NAME...", "why it is as it is, and what to do", LOOK,
    1, -1, WORD_SERVICE, 0, NULL, false },
{ "top", "", "all services, live; keys restart, stop, show logs", LOOK,
    0, 0, WORD_NONE, 0, NULL, true },
{ "is-active", "NAME...", "say the state; exit 0 if all are UP", LOOK,
    1, -1, WORD_SERVICE, 0, NULL, false },
{ "logs", "[NAME...]", "last lines of logs, of several by time", LOOK,
    0, -1, WORD_SERVICE, OPT(FOLLOW) | OPT(LINES) | OPT(SINCE) | OPT(GREP),
    NULL, false },
{ "events", "[NAME...]", "what happens, as it happens", LOOK,
    0, -1, WORD_SERVICE, 0, NULL, false },
{ "history", "[NAME...]", "what has happened", LOOK,
    0, -1, WORD_SERVICE, OPT(LINES) | OPT(SINCE), NULL, false },
{ "incidents", "[NAME...]", "outages, time to repair, availability", LOOK,
    0, -1, WORD_SERVICE, OPT(SINCE), NULL, true },
{ "start", "NAME...", "want it up; ends a hold at once", ACT,
    1, -1, WORD_SERVICE, WAITS, "Start", false },
{ "stop", "NAME...", "want it down; it stays so", ACT,
    1, -1, WORD_SERVICE, WAITS, "Stop", false },
{ "restart", "NAME...", "stop and start, in whatever state", ACT,
    1, -1, WORD_SERVICE, WAITS, "Restart", false },
{ "once", "NAME...", "run it one time, to its end", ACT,
    1, -1, WORD_SERVICE, WAITS, "Once", false },
{ "signal", "SIGNAL NAME...", "send its process a signal", ACT,
    2, -1, WORD_SIGNAL, 0, "Signal", false },
{ "pause", "NAME...", "stop its process where it is", ACT,
    1, -1, WORD_SERVICE, 0, "Signal", false },
{ "cont", "NAME...", "let it go on after a pause", ACT,
    1, -1, WORD_SERVICE, 0, "Signal", false },
{ "enable", "NAME...", "start it, at boot too", ACT,
    1, -1, WORD_SERVICE, WAITS, "Enable", false },
{ "disable", "NAME...", "stop it, and keep it so across reboots", ACT,
    1, -1, WORD_SERVICE, WAITS, "Disable", false },
{ "wait", "[NAME...]", "do nothing until it is so", ACT,
    0, -1, WORD_SERVICE, OPT(UP) | OPT(DOWN) | OPT(HEALTHY) | OPT(TIMEOUT),
    NULL, false },
{ "sv", "WORD NAME...", "as runit's sv: up, down, status, restart, ...", ACT,
    2, -1, WORD_NONE, 0, NULL, true },
{ "recover", "", "find what is down and heal it, step by step", ACT,
    0, 0, WORD_NONE, WAITS, "Once", false },
{ "doctor", "", "check everything; each fault with what mends it", TREE,
    0, 0, WORD_NONE, OPT(DEEP) | OPT(ROOT), NULL, true },
{ "init", "[SERVICES_DIR]", "look at the machine and write a tree for it",
    TREE, 0, 1, WORD_DIR, OPT(YES) | OPT(CRITICAL) | OPT(ROOT), NULL, true },
{ "install", "[SERVICES_DIR]", "have launchd or systemd start svtree", TREE,
    0, 1, WORD_DIR, OPT(YES) | OPT(PRINT) | OPT(USER) | OPT(SYSTEM) |
    OPT(MANAGER) | OPT(ROOT), NULL, true },
{ "uninstall", "", "take that job away again", TREE, 0, 0, WORD_NONE,
    OPT(YES) | OPT(USER) | OPT(SYSTEM) | OPT(MANAGER) | OPT(ROOT), NULL,
    true },
{ "adopt-compose", "FILE", "containers of a compose file as services", TREE,
    1, 1, WORD_FILE, OPT(CRITICAL) | OPT(SERVICES), NULL, true },
{ "check", "[SERVICES_DIR]", "every error in the definitions", TREE,
    0, 1, WORD_DIR, 0, NULL, true },
{ "keys", "", "the keys of service.conf and their defaults", TREE,
    0, 0, WORD_NONE, 0, NULL, true },
{ "reload", "", "read the definitions again; all or nothing", TREE,
    0, 0, WORD_NONE, OPT(DRY_RUN), "Reload", false },
{ "upgrade", "[PROGRAM]", "replace the supervisor, not the services", TREE,
    0, 1, WORD_FILE, WAITS, "Upgrade", false },
{ "detach", "", "end the supervisor and leave the services running", TREE,
    0, 0, WORD_NONE, WAITS, "Detach", false },
{ "shutdown", "", "stop all in order, then the supervisor", TREE,
    0, 0, WORD_NONE, WAITS, "Shutdown", false },
{ "completion", "SHELL", "words for bash, zsh or fish", TREE,
    1, 1, WORD_SHELL, 0, NULL, true },
{ "help", "[VERB]", "this text, or that of a verb", TREE,
    0, 1, WORD_VERB, 0, NULL, false },
{ NULL, NULL, NULL, NULL, 0, 0, WORD_NONE, 0, NULL, false }
};

const struct verb *
verb_find(const char *name)
{
	const struct verb *v;

	for (v = svctl_verbs; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}
