/* SPDX-License-Identifier: ISC */
/*
 * Where values go: a service that says nothing of a group shares the defaults
 * with all others, one that does has its own, and changes nobody else's.
 */
#include <criterion/criterion.h>

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "conf_kinds.h"

static char dir[] = "/tmp/groups.XXXXXX";
static struct conf_tree tree;

static void
path_of(const char *name, const char *file, char *dst, size_t cap)
{
	(void)snprintf(dst, cap, "%s/%s%s%s", dir, name, file[0] != '\0' ?
	    "/" : "", file);
}

static void
add(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	path_of(name, "", path, sizeof path);
	cr_assert_eq(mkdir(path, 0755), 0);
	path_of(name, "service.conf", path, sizeof path);
	cr_assert_not_null(f = fopen(path, "w"));
	(void)fprintf(f, "[service]\nexec = /bin/sh\n%s", text);
	cr_assert_eq(fclose(f), 0);
}

static void
show(void *arg, const char *line)
{
	(void)arg;
	cr_log_error("%s", line);
}

/* a says nothing; b, c, d something of one group each. */
static void
load(void)
{
	cr_assert_not_null(mkdtemp(dir));
	add("a", "");
	add("b", "on-crash = /bin/sh -c true\nhook-timeout = 5s\n");
	add("c", "[log]\nkeep = 3\nmax-size = 1M\n");
	add("d", "[health]\ntype = tcp\nurl = tcp://127.0.0.1:1\n"
	    "[log]\ntimestamps = no\n");
	cr_assert_eq(conf_load(&tree, dir, show, NULL), 0);
}

static void
drop(void)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	char path[128];
	size_t i;

	for (i = 0; i < nitems(names); i++) {
		path_of(names[i], "service.conf", path, sizeof path);
		(void)unlink(path);
		path_of(names[i], "", path, sizeof path);
		(void)rmdir(path);
	}
	(void)rmdir(dir);
	conf_free(&tree);
}

TestSuite(conf_groups, .init = load, .fini = drop);

static const struct conf_service *
get(const char *name)
{
	const struct conf_service *sv = conf_find(&tree, name);

	cr_assert_not_null(sv);
	return sv;
}

Test(conf_groups, who_says_nothing_shares_the_defaults)
{
	const struct conf_service *a = get("a");

	cr_assert_eq(a->rare, get("c")->rare);
	cr_assert_eq(a->log, get("b")->log);
	cr_assert_eq(a->health, get("b")->health);
	cr_assert_eq(a->container, get("d")->container);
	cr_assert_eq(a->docker, get("d")->docker);
	cr_assert_eq(a->rare->hook_timeout_ms, 30000);
	cr_assert_eq(a->rare->hook[HOOK_CRASH].n, 0);
	cr_assert_eq(a->log->max_size, 10 << 20);
	cr_assert_eq(a->log->total, 100 << 20);
	cr_assert_eq(a->log->keep, 10);
	cr_assert(a->log->timestamps);
	cr_assert_null(a->health->type);
	cr_assert_eq(a->health->interval_ms, 10000);
	cr_assert_eq(a->container->up_timeout_ms, 120000);
	cr_assert_eq(a->docker->start_every_ms, 60000);
}

Test(conf_groups, two_values_of_a_group_lie_in_one_place)
{
	const struct conf_rare *b = get("b")->rare;
	const struct conf_log *c = get("c")->log;

	cr_assert_eq(b->hook[HOOK_CRASH].n, 3);
	cr_assert_str_eq(b->hook[HOOK_CRASH].v[0], "/bin/sh");
	cr_assert_eq(b->hook_timeout_ms, 5000);
	cr_assert_eq(b->hook[HOOK_TRIP].n, 0);
	cr_assert_eq(c->keep, 3);
	cr_assert_eq(c->max_size, 1 << 20);
	cr_assert_eq(c->total, 100 << 20, "what is not said stays");
}

Test(conf_groups, each_has_its_own)
{
	const struct conf_log *c = get("c")->log, *d = get("d")->log;

	cr_assert_neq(c, d);
	cr_assert_not(d->timestamps);
	cr_assert(c->timestamps);
	cr_assert_eq(d->keep, 10);
	cr_assert_str_eq(get("d")->health->type, "tcp");
	cr_assert_eq(get("d")->health->threshold, 3);
}

Test(conf_groups, one_that_was_never_loaded_has_the_defaults)
{
	const struct conf_service nobody = { .name = NULL };

	cr_assert_eq(conf_rare(&nobody), get("a")->rare);
	cr_assert_eq(conf_rare(get("b")), get("b")->rare);
}

/* Every row of the table leads to where its kind of value fits. */
Test(conf_groups, the_default_of_each_key_is_that_of_who_says_nothing)
{
	static const size_t size[IN_MAX] = {
		[IN_SERVICE] = sizeof(struct conf_service),
		[IN_RARE] = sizeof(struct conf_rare),
		[IN_LOG] = sizeof(struct conf_log),
		[IN_HEALTH] = sizeof(struct conf_health),
		[IN_CONTAINER] = sizeof(struct conf_container),
		[IN_DOCKER] = sizeof(struct conf_docker),
	};
	const struct conf_service *a = get("a");
	const struct conf_key *key;
	const char *in[IN_MAX] = {
		[IN_SERVICE] = (const char *)a,
		[IN_RARE] = (const char *)a->rare,
		[IN_LOG] = (const char *)a->log,
		[IN_HEALTH] = (const char *)a->health,
		[IN_CONTAINER] = (const char *)a->container,
		[IN_DOCKER] = (const char *)a->docker,
	};
	int i;

	for (i = 0; (key = conf_key_at(i)) != NULL; i++) {
		cr_assert_lt(key->group, IN_MAX);
		cr_assert_lt(key->offset, size[key->group], "%s", key->key);
		cr_assert_eq(conf_default(a, key), in[key->group] +
		    key->offset, "%s", key->key);
	}
	cr_assert_gt(i, 60);
}

Test(conf_groups, a_logger_reads_its_section_alone)
{
	struct conf_log log = { .keep = 77 };

	cr_assert_eq(conf_load_log(dir, "c", &log), 0);
	cr_assert_eq(log.keep, 3);
	cr_assert_eq(log.total, 100 << 20);
	cr_assert_eq(conf_load_log(dir, "nobody", &log), 0);
	cr_assert_eq(log.keep, 10);
}
