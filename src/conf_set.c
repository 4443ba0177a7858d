/* SPDX-License-Identifier: ISC */
/*
 * One setting of a service.conf to its place; for one that is unknown, what
 * was probably meant.
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "conf_kinds.h"

#define INSTANCES	"instances"
#define SECTION_ENV	"environment"
#define SECTION_LIMITS	"limits"

/* Changes of one letter that lead from a to b (Levenshtein), up to 63. */
static int
distance(const char *a, const char *b)
{
	size_t k, n = strlen(b);
	int row[64] = { 0 }, i, left, corner;

	if (n > 62)
		return 63;
	for (k = 0; k <= n; k++)
		row[k] = (int)k;
	for (i = 0; i < 62 && a[i] != '\0'; i++) {
		corner = row[0];
		row[0] = i + 1;
		for (k = 0; k < n; k++) {
			left = row[k] < row[k + 1] ? row[k] : row[k + 1];
			left = corner + (a[i] != b[k]) < left + 1 ?
			    corner + (a[i] != b[k]) : left + 1;
			corner = row[k + 1];
			row[k + 1] = left;
		}
	}
	return row[n];
}

static void
unknown(struct conf_reader *rd, const char *section, const char *key)
{
	const struct conf_key *best = NULL, *elsewhere = NULL, *k;
	bool known = false;
	int i, d, least = 4;

	for (i = 0; (k = conf_key_at(i)) != NULL; i++) {
		if (strcmp(k->section, section) != 0) {
			if (strcmp(k->key, key) == 0)
				elsewhere = k;
			continue;
		}
		known = true;
		d = distance(key, k->key);
		if (d < least) {
			least = d;
			best = k;
		}
	}
	if (!known)
		conf_error(rd, "unknown section [%s]; known are service, "
		    "environment, limits, sockets, log, health, container, "
		    "docker, port", section);
	else if (best != NULL)
		conf_error(rd, "unknown key %s; did you mean %s?", key,
		    best->key);
	else if (elsewhere != NULL)
		conf_error(rd, "unknown key %s; it belongs into [%s]", key,
		    elsewhere->section);
	else
		conf_error(rd, "unknown key %s in [%s]; svtree.conf(5) lists "
		    "them", key, section);
}

/* The first look at a template: which instances it names. */
static void
set_instances(struct conf_reader *rd, const char *section, const char *key,
    const char *value)
{
	if (strcmp(section, SECTION_ENV) != 0 &&
	    strcmp(section, SECTION_LIMITS) != 0 &&
	    conf_key_find(section, key) < 0)
		unknown(rd, section, key);
	if (strcmp(section, "service") == 0 && strcmp(key, INSTANCES) == 0)
		(void)conf_words(rd, key, value, rd->instances);
}

/* The settings make the fingerprint, not their looks in the file. */
static void
mix(struct conf_service *sv, const char *section, const char *key,
    const char *value)
{
	const char *const part[] = { section, key, value };
	size_t i;

	for (i = 0; i < nitems(part); i++)
		sv->fingerprint = conf_mix(sv->fingerprint, part[i],
		    strlen(part[i]) + 1);
}

void
conf_set(struct conf_reader *rd, const char *section, const char *key,
    const char *value)
{
	char mem[CONF_VALUE_MAX];
	void *place;
	int i;

	if (rd->instances != NULL) {
		set_instances(rd, section, key, value);
		return;
	}
	if ((value = conf_expand(rd, key, value, mem, sizeof mem)) == NULL)
		return;
	if (strcmp(key, INSTANCES) != 0)
		mix(rd->sv, section, key, value);
	if (strcmp(section, SECTION_ENV) == 0) {
		conf_set_environment(rd, key, value);
		return;
	}
	if (strcmp(section, SECTION_LIMITS) == 0) {
		conf_set_limit(rd, key, value);
		return;
	}
	i = conf_key_find(section, key);
	if (i < 0) {
		unknown(rd, section, key);
		return;
	}
	if (rd->seen[i] != 0) {
		conf_error(rd, "%s: given before, in line %d; once is right",
		    key, rd->seen[i]);
		return;
	}
	rd->seen[i] = rd->line;
	if ((place = conf_place(rd, conf_key_at(i))) == NULL)
		conf_error(rd, "%s: no memory for it", key);
	else
		conf_set_kind(rd, conf_key_at(i), value, place);
}
