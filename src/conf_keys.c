/* SPDX-License-Identifier: ISC */
/*
 * The table of keys of service.conf: which there are, what kind of value they
 * take, where it goes. doc/svtree.conf.5 says what they mean.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "conf_kinds.h"

#define AT(member)	IN_SERVICE, offsetof(struct conf_service, member)
#define RARE(member)	IN_RARE, offsetof(struct conf_rare, member)
#define LOG(member)	IN_LOG, offsetof(struct conf_log, member)
#define HEALTH(member)	IN_HEALTH, offsetof(struct conf_health, member)
#define CONTAINER(member) IN_CONTAINER, offsetof(struct conf_container, member)
#define DOCKER(member)	IN_DOCKER, offsetof(struct conf_docker, member)

static const char *const types[] = { "daemon", "oneshot", NULL };
static const char *const restarts[] = { "always", "on-failure", "never",
    NULL };
static const char *const kills[] = { "group", "leader", NULL };
static const char *const policies[] = { "refuse", "evict", "adopt",
    NULL };
static const char *const probes[] = { "ollama", "mlx", "openai", "http",
    "tcp", "exec", "docker", NULL };
static const char *const compressions[] = { "no", "gzip", "zstd", NULL };
static const char *const on_stop[] = { "leave", "container", NULL };
static const char *const outside[] = { "stop", "start", NULL };

static const struct conf_key keys[] = {
{ "service", "description", KIND_TEXT, AT(description), NULL,
    "what it is, in a line" },
{ "service", "exec", KIND_WORDS, AT(exec), NULL,
    "program and arguments; without it: ./run" },
{ "service", "user", KIND_TEXT, AT(user), NULL,
    "a name, or owner-of:PATH" },
{ "service", "group", KIND_TEXT, AT(group), NULL, "instead of the user's" },
{ "service", "groups", KIND_WORDS, RARE(groups), NULL,
    "groups beside those of the user" },
{ "service", "directory", KIND_PATH, AT(directory), NULL,
    "to run in; default: the service's directory" },
{ "service", "instances", KIND_WORDS, AT(instances), NULL,
    "of a template NAME@: a service for each" },
{ "service", "type", KIND_CHOICE, AT(type), types, "daemon or oneshot" },
{ "service", "every", KIND_DURATION, AT(every_ms), NULL,
    "timer of a oneshot" },
{ "service", "every-jitter", KIND_DURATION, AT(every_jitter_ms), NULL,
    "up to so much later, by chance" },
{ "service", "needs", KIND_NEEDS, AT(needs), NULL,
    "started when these are ready; NAME:healthy waits for health" },
{ "service", "after", KIND_NEEDS, AT(after), NULL,
    "an order without a need" },
{ "service", "restart-with", KIND_WORDS, AT(restart_with), NULL,
    "restarted when one of these is" },
{ "service", "restart", KIND_CHOICE, AT(restart), restarts,
    "always, on-failure or never" },
{ "service", "restart-delay", KIND_DURATION, AT(restart_delay_ms), NULL,
    "first back-off; doubles" },
{ "service", "restart-max-delay", KIND_DURATION, AT(restart_max_ms), NULL,
    "longest back-off" },
{ "service", "restart-limit", KIND_LIMIT, AT(restart_limit), NULL,
    "COUNT/WINDOW of failures that trip it; 0: never" },
{ "service", "restart-window", KIND_DURATION, AT(restart_window_ms), NULL,
    "the window of restart-limit" },
{ "service", "no-restart-codes", KIND_CODES, AT(no_restart), NULL,
    "exit codes after which trying again cannot help" },
{ "service", "success-codes", KIND_CODES, AT(success), NULL,
    "exit codes that are success, beside 0" },
{ "service", "on-crash", KIND_WORDS, RARE(hook[HOOK_CRASH]), NULL,
    "program told of each failure, as JSON on its standard input" },
{ "service", "on-trip", KIND_WORDS, RARE(hook[HOOK_TRIP]), NULL,
    "the same, when it is given up" },
{ "service", "on-incident", KIND_WORDS, RARE(hook[HOOK_INCIDENT]), NULL,
    "the same, when a program reports an incident" },
{ "service", "on-recovery", KIND_WORDS, RARE(hook[HOOK_RECOVERY]), NULL,
    "the same, when it is well again after a failure" },
{ "service", "hook-timeout", KIND_DURATION, RARE(hook_timeout_ms), NULL,
    "until a hook is killed" },
{ "service", "stop-command", KIND_WORDS, RARE(stop_command), NULL,
    "run before the signal, to ask it to end" },
{ "service", "stop-signal", KIND_SIGNAL, AT(stop_signal), NULL,
    "asks it to end" },
{ "service", "stop-timeout", KIND_DURATION, AT(stop_timeout_ms), NULL,
    "until SIGKILL" },
{ "service", "kill", KIND_CHOICE, AT(kill), kills,
    "group: all of its processes; leader: the first alone" },
{ "service", "ready", KIND_READY, AT(ready), NULL,
    "none, notify, fd:N or check" },
{ "service", "start-timeout", KIND_DURATION, AT(start_timeout_ms), NULL,
    "to become ready; 0: no limit" },
{ "service", "watchdog", KIND_DURATION, AT(watchdog_ms), NULL,
    "longest time between two WATCHDOG=1; then it is restarted" },
{ "service", "grants", KIND_WORDS, RARE(grants), NULL,
    "control methods that its processes may call" },
{ "service", "pass-environment", KIND_WORDS, RARE(pass), NULL,
    "variables let through from the supervisor" },
{ "service", "env-file", KIND_PATHS, RARE(env_file), NULL,
    "files of NAME=value lines, read at each start" },
{ "service", "env-dir", KIND_PATHS, RARE(env_dir), NULL,
    "directories with a file for each variable" },
{ "service", "umask", KIND_MODE, AT(umask), NULL, "default: 022" },
{ "service", "nice", KIND_NICE, AT(nice), NULL, "-20 (first) to 19" },
{ "service", "oom-score-adj", KIND_SCORE, AT(oom_score_adj), NULL,
    "Linux: -1000 (never killed) to 1000; default: 0" },
{ "sockets", "listen", KIND_SOCKETS, AT(sockets), NULL,
    "opened for it, held over its restarts (LISTEN_FDS)" },
{ "sockets", "mode", KIND_MODE, AT(sockets.mode), NULL, "of paths" },
{ "log", "max-size", KIND_SIZE, LOG(max_size), NULL, "of one file" },
{ "log", "total", KIND_SIZE, LOG(total), NULL, "of all files" },
{ "log", "keep", KIND_COUNT, LOG(keep), NULL, "rotated files" },
{ "log", "timestamps", KIND_BOOL, LOG(timestamps), NULL,
    "before each line" },
{ "log", "compress", KIND_CHOICE, LOG(compress), compressions,
    "rotated files: no, gzip or zstd" },
{ "health", "type", KIND_NAME, HEALTH(type), probes,
    "ollama, mlx, openai, http, tcp, exec or docker" },
{ "health", "url", KIND_URL, HEALTH(url), NULL, "base address" },
{ "health", "also", KIND_URL, HEALTH(also), NULL,
    "another address that must answer, such as the one for containers" },
{ "health", "live", KIND_TEXT, HEALTH(live), NULL, "path of life" },
{ "health", "ready", KIND_TEXT, HEALTH(ready), NULL,
    "path of readiness" },
{ "health", "command", KIND_WORDS, HEALTH(command), NULL,
    "of type exec" },
{ "health", "models", KIND_WORDS, HEALTH(models), NULL,
    "names that must be there" },
{ "health", "interval", KIND_DURATION, HEALTH(interval_ms), NULL,
    "between two probes" },
{ "health", "timeout", KIND_DURATION, HEALTH(timeout_ms), NULL,
    "of one probe" },
{ "health", "threshold", KIND_COUNT, HEALTH(threshold), NULL,
    "failures in a row that count" },
{ "health", "start-grace", KIND_DURATION, HEALTH(start_grace_ms), NULL,
    "no failing verdict before" },
{ "health", "load-grace", KIND_DURATION, HEALTH(load_grace_ms), NULL,
    "that it may be silent while it loads a model or works" },
{ "health", "wake-grace", KIND_DURATION, HEALTH(wake_grace_ms), NULL,
    "after sleep, in which no failure counts" },
{ "health", "deep", KIND_DURATION, HEALTH(deep_ms), NULL,
    "between two requests for one token of a loaded model; 0: none" },
{ "health", "deep-timeout", KIND_DURATION, HEALTH(deep_timeout_ms), NULL,
    "of such a request" },
{ "health", "max-memory", KIND_SIZE, HEALTH(max_memory), NULL,
    "of all its processes; more is told by oom-watcher" },
{ "health", "expendable", KIND_BOOL, HEALTH(expendable), NULL,
    "may be restarted when the host's memory stays critical" },
{ "health", "log-failing", KIND_WORDS, HEALTH(log_failing), NULL,
    "texts of its log; threshold lines with one of them mean failing" },
{ "health", "log-warning", KIND_WORDS, HEALTH(log_warning), NULL,
    "texts of its log that are told and mean degraded for 10 minutes" },
{ "health", "restart", KIND_BOOL, HEALTH(restart), NULL,
    "restart when failing" },
{ "health", "dump", KIND_BOOL, HEALTH(dump), NULL,
    "SIGQUIT before such a restart: a Go program tells where it hangs" },
{ "container", "name", KIND_TEXT, CONTAINER(name), NULL,
    "of the container" },
{ "container", "service", KIND_TEXT, CONTAINER(service), NULL,
    "of the compose file; default: name" },
{ "container", "compose", KIND_PATH, CONTAINER(compose), NULL,
    "the compose file" },
{ "container", "project", KIND_TEXT, CONTAINER(project), NULL,
    "compose project" },
{ "container", "up-timeout", KIND_DURATION, CONTAINER(up_timeout_ms),
    NULL, "of up -d" },
{ "container", "stop-timeout", KIND_DURATION,
    CONTAINER(stop_timeout_ms), NULL, "given to the container" },
{ "container", "on-stop", KIND_FLAG, CONTAINER(stop), on_stop,
    "container: stop it; leave: let it run" },
{ "container", "outside-stop", KIND_FLAG, CONTAINER(outside_start),
    outside, "start: bring it back; stop: let it be" },
{ "container", "logs", KIND_BOOL, CONTAINER(logs), NULL,
    "its output goes to the service's log" },
{ "docker", "socket", KIND_PATH, DOCKER(socket), NULL,
    "of the engine; default: searched for" },
{ "docker", "start-command", KIND_WORDS, DOCKER(start), NULL,
    "starts the engine" },
{ "docker", "start-every", KIND_DURATION, DOCKER(start_every_ms), NULL,
    "between two attempts" },
{ "port", "number", KIND_PORT, AT(port.number), NULL, "TCP port" },
{ "port", "policy", KIND_CHOICE, AT(port.policy), policies,
    "refuse, evict or adopt" },
};

_Static_assert(nitems(keys) <= CONF_KEYS_MAX, "CONF_KEYS_MAX is too small");

const struct conf_key_help *
conf_key_help(int i)
{
	static struct conf_key_help help;

	if (i < 0 || (size_t)i >= nitems(keys))
		return NULL;
	help.section = keys[i].section;
	help.key = keys[i].key;
	help.kind = conf_kind_name(keys[i].kind);
	help.help = keys[i].help;
	conf_show_default(&keys[i], help.deflt, sizeof help.deflt);
	return &help;
}

const struct conf_key *
conf_key_at(int i)
{
	return i < 0 || (size_t)i >= nitems(keys) ? NULL : &keys[i];
}

int
conf_key_find(const char *section, const char *key)
{
	size_t i;

	for (i = 0; i < nitems(keys); i++)
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].key, key) == 0)
			return (int)i;
	return -1;
}

int
conf_line_of(const struct conf_reader *rd, const char *section,
    const char *key)
{
	int i = conf_key_find(section, key);

	return i < 0 ? 0 : rd->seen[i];
}

void
conf_defaults(struct conf_service *sv)
{
	sv->restart_delay_ms = 1000;
	sv->restart_max_ms = 60000;
	sv->restart_limit = 10;
	sv->restart_window_ms = 300000;
	sv->stop_signal = conf_signal("TERM");
	sv->stop_timeout_ms = 20000;
	sv->start_timeout_ms = 60000;
	sv->umask = 022;
	sv->sockets.mode = 0666;
	sv->nice = sv->oom_score_adj = CONF_UNSET;
	conf_no_groups(sv);
}
