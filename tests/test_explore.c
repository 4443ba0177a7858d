/* SPDX-License-Identifier: ISC */
/*
 * Every state that two dependent services, their logger and their supervisor
 * can reach, breadth first: the real supervisor's code on a fake world (fake/
 * and explore/), with SIGKILL of the supervisor before each of its deeds,
 * lost records, reused pids, every verb of a person. In each state the
 * promises are checked, and that a fair future brings what is wanted.
 * Prints TAP; a broken promise is shown with the shortest way to it.
 *
 * The number of such states is not known: the search ends at some number of
 * them. Of the ways on which the run of things is disturbed a few times only
 * there is an end: all states on those are looked at as well.
 *
 * usage: test_explore [-d DISTURBANCES] [-n STATES] [PLAY]
 */
#include "fake/libc.h"

#include "buf.h"
#include "explore/explore.h"

#define TABLE_BITS	24
#define STATES_MAX	(1u << 23)

static struct node {
	uint64_t key;
	uint32_t parent;
	struct step step;
} *node;
static uint32_t n_nodes, *table;
static char **waiting;		/* snapshots of those not looked at yet */
static uint64_t n_steps_done, n_crashes;
static int most = -1;		/* disturbances on a way, -1 any number */

static uint32_t
slot_of(uint64_t key)
{
	uint32_t i = (uint32_t)(key >> (64 - TABLE_BITS));

	while (table[i] != 0 && node[table[i] - 1].key != key)
		i = (i + 1) & ((1u << TABLE_BITS) - 1);
	return i;
}

static void
show_way(uint32_t to)
{
	static uint32_t way[4096];
	char text[1024];
	int n = 0;

	for (; to != 0 && n < 4096; to = node[to].parent)
		way[n++] = to;
	sim_begin();
	while (n-- > 0) {
		sim_name(node[way[n]].step, text, sizeof text);
		printf("#   %s\n", text);
		(void)sim_do(node[way[n]].step);
		sim_show(text, sizeof text);
		printf("#       %s\n", text);
	}
	if (w_fault[0] == '\0')
		check_state();
	if (w_fault[0] == '\0')
		check_fair(true);
	printf("#   then: %s\n", w_fault);
}

/* Puts the state down if it is new. False when a promise is broken. */
static bool
arrive(uint32_t from, struct step s, uint32_t limit)
{
	static char mem[SIM_MAX];
	uint64_t key = sim_key();
	uint32_t at = slot_of(key);
	char fault[sizeof w_fault];
	size_t size;

	n_steps_done++;
	if (table[at] != 0 && w_fault[0] == '\0')
		return true;
	if (n_nodes >= limit && w_fault[0] == '\0')
		return true;
	node[n_nodes] = (struct node){ key, from, s };
	table[at] = ++n_nodes;
	size = sim_save(mem);
	waiting[n_nodes - 1] = malloc(size);
	if (waiting[n_nodes - 1] == NULL)
		abort();
	memcpy(waiting[n_nodes - 1], mem, size);
	if (w_fault[0] == '\0')
		check_state();
	if (w_fault[0] == '\0')
		check_fair(false);
	if (w_fault[0] == '\0')
		return true;
	(void)snprintf(fault, sizeof fault, "%s", w_fault);
	printf("# broken: %s\n", fault);
	show_way(n_nodes - 1);
	return false;
}

/* Counts the step; false when the way has been disturbed often enough. */
static bool
is_affordable(struct step s)
{
	if (most < 0 || !sim_disturbs(s))
		return true;
	return ++sim.disturbed <= most;
}

static bool
expand(uint32_t from, uint32_t limit)
{
	struct step list[STEPS_MAX];
	const char *mem = waiting[from];
	int i, k, n, deeds;

	sim_load(mem);
	n = sim_steps(list);
	for (i = 0; i < n; i++) {
		sim_load(mem);
		if (!is_affordable(list[i]))
			continue;
		deeds = sim_do(list[i]);
		if (!arrive(from, list[i], limit))
			return false;
		if (list[i].kind > M_BOOT || list[i].kind == M_CRASH)
			continue;
		sim_load(mem);
		if (sim_is_crowded())
			continue;
		for (k = 1; k <= deeds; k++) {
			sim_load(mem);
			list[i].crash = (uint8_t)k;
			if (!is_affordable(list[i]))
				break;
			(void)sim_do(list[i]);
			n_crashes++;
			if (!arrive(from, list[i], limit))
				return false;
		}
	}
	free(waiting[from]);
	waiting[from] = NULL;
	return true;
}

static bool
explore(uint32_t limit)
{
	uint32_t i;
	bool good;

	memset(table, 0, sizeof(*table) << TABLE_BITS);
	n_nodes = 0;
	n_steps_done = n_crashes = 0;
	sim_begin();
	good = arrive(0, (struct step){ 0 }, limit);
	for (i = 0; good && i < n_nodes; i++)
		good = expand(i, limit);
	for (i = 0; i < n_nodes; i++)
		free(waiting[i]);
	printf("# %u states%s, %llu steps, %llu of them a SIGKILL in the "
	    "middle of a turn\n", n_nodes, n_nodes >= limit ?
	    " (stopped there)" : ", all there are", (unsigned long long)n_steps_done,
	    (unsigned long long)n_crashes);
	return good;
}

/* --- the plays */

static struct conf_need need_a = { .name = (char *)"a" };
static char *word_a[] = { (char *)"a" };

static void
two_daemons(void)
{
	w_conf[0].ready = READY_NOTIFY;
	w_conf[0].restart_limit = 2;
	w_conf[1].needs = (struct conf_needs){ &need_a, 1 };
}

static void
finish_and_followers(void)
{
	w_conf[0].has_finish = true;
	w_conf[1].restart_with = (struct conf_list){ word_a, 1 };
	w_conf[1].after = (struct conf_needs){ &need_a, 1 };
	w_conf[1].restart = RESTART_ON_FAILURE;
}

static void
oneshot_then_daemon(void)
{
	w_conf[0].type = TYPE_ONESHOT;
	w_conf[0].restart = RESTART_ON_FAILURE;
	w_conf[0].restart_limit = 2;
	w_conf[1].needs = (struct conf_needs){ &need_a, 1 };
	w_conf[1].restart = RESTART_NEVER;
}

static void
leader_alone(void)
{
	w_conf[0].kill = KILL_LEADER;
	w_conf[0].restart = RESTART_ON_FAILURE;
	w_conf[1].kill = KILL_LEADER;
	w_conf[1].needs = (struct conf_needs){ &need_a, 1 };
}

static const struct {
	const char *name, *what;
	void (*set)(void);
} plays[] = {
	{ "daemons", "two daemons, one needs the other", two_daemons },
	{ "finish", "finish, restart-with, after", finish_and_followers },
	{ "oneshot", "a oneshot and who needs it", oneshot_then_daemon },
	{ "leader", "kill = leader, what is left behind", leader_alone },
};

static void
set_up(size_t play)
{
	static const char *const name[W_SERVICES] = { "a", "b", "svlog" };
	static char *words[] = { (char *)"program", NULL };
	int i;

	for (i = 0; i < W_SERVICES; i++)
		w_conf[i] = (struct conf_service){ .name = (char *)name[i],
		    .dir = (char *)"/f/services/x", .exec = { words, 1 },
		    .restart_delay_ms = 1000, .restart_max_ms = 60000,
		    .restart_limit = 3, .restart_window_ms = 300000,
		    .stop_signal = SIGTERM, .stop_timeout_ms = 20000,
		    .start_timeout_ms = 60000,
		    .fingerprint = (uint64_t)i + 1 };
	w_conf[W_LOGGER].ready = READY_NOTIFY;
	plays[play].set();
}

static int n_tests, n_bad;

/* disturbances: that many and to the end; -1 any number, up to limit states */
static void
try(size_t play, int disturbances, uint32_t limit)
{
	bool good;

	most = disturbances;
	sim_logger_is_prompt = most >= 0;
	set_up(play);
	good = explore(limit);
	if (good && most >= 0 && n_nodes >= limit) {
		printf("# the search did not come to its end\n");
		good = false;
	}
	printf("%s %d - %s: every promise in every state", good ? "ok" :
	    "not ok", ++n_tests, plays[play].what);
	if (most >= 0)
		printf(", disturbed at most %d times", most);
	printf("\n");
	(void)fflush(stdout);
	n_bad += !good;
}

int
main(int argc, char **argv)
{
	uint32_t limit = 0;
	size_t i;
	int c, disturbances = -1;

	while ((c = getopt(argc, argv, "n:d:")) != -1)
		if (c == 'n')
			limit = (uint32_t)strtoul(optarg, NULL, 10);
		else if (c == 'd')
			disturbances = atoi(optarg);
	if (limit == 0 && disturbances < 0) {
		limit = 10000;
		disturbances = 1;
	}
	if (limit > STATES_MAX - 1)
		limit = STATES_MAX - 1;
	node = calloc(STATES_MAX, sizeof *node);
	waiting = calloc(STATES_MAX, sizeof *waiting);
	table = calloc(1u << TABLE_BITS, sizeof *table);
	if (node == NULL || waiting == NULL || table == NULL)
		return 99;
	for (i = 0; i < nitems(plays); i++) {
		if (optind < argc && strcmp(argv[optind], plays[i].name) != 0)
			continue;
		if (disturbances >= 0)
			try(i, disturbances, STATES_MAX - 1);
		if (limit > 0)
			try(i, -1, limit);
	}
	printf("1..%d\n", n_tests);
	return n_bad > 0;
}
