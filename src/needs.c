/* SPDX-License-Identifier: ISC */
/*
 * Who waits for whom. Reads the states of a tree, changes nothing.
 */
#include <string.h>

#include "buf.h"
#include "policy.h"
#include "service.h"

static bool
is_healthy(const struct service *sv)
{
	return sv->rec.health == HEALTH_OK || sv->rec.health == HEALTH_BUSY;
}

static bool
is_met(const struct service *sv, const struct conf_need *need)
{
	const struct service *other = tree_find(sv->tree, need->name);

	if (other == NULL)
		return false;
	/* A oneshot serves by having ended well. */
	if (other->conf->type == TYPE_ONESHOT)
		return other->rec.state == ST_DOWN &&
		    policy_is_success(other->conf, &other->rec);
	return other->rec.state == ST_UP &&
	    (!need->healthy || is_healthy(other));
}

/* after: an order, not a need. Only what is on its way is waited for. */
static bool
is_coming(const struct service *other)
{
	return other != NULL && other->conf->broken == NULL &&
	    other->rec.want != WANT_DOWN &&
	    (other->rec.state == ST_WAITING ||
	    other->rec.state == ST_STARTING);
}

const struct conf_need *
needs_unmet(const struct service *sv)
{
	const struct conf_service *c = sv->conf;
	int i;

	for (i = 0; i < c->needs.n; i++)
		if (!is_met(sv, &c->needs.v[i]))
			return &c->needs.v[i];
	for (i = 0; i < c->after.n; i++)
		if (is_coming(tree_find(sv->tree, c->after.v[i].name)))
			return &c->after.v[i];
	return NULL;
}

/* What must be known of it beside its name: that it will not come by itself,
 * or what keeps it. */
static const char *const plight[ST_COUNT] = {
	[ST_TRIPPED] = "which gave up: ", [ST_BACKOFF] = "which failed: ",
	[ST_WAITING] = "which ",
};

void
needs_words(const struct service *sv, const struct conf_need *need,
    char *dst, size_t cap)
{
	const struct service *other = tree_find(sv->tree, need->name);
	const char *how = other != NULL ? plight[other->rec.state] : NULL;
	const char *why = "";
	struct buf b;

	buf_init(&b, dst, cap);
	buf_printf(&b, "waits for %s", need->name);
	if (other != NULL && other->rec.want == WANT_DOWN &&
	    other->rec.state == ST_DOWN) {
		how = other->rec.disabled ? "which is disabled" :
		    other->conf->type == TYPE_ONESHOT ?
		    "which has not succeeded" : "which is stopped";
	} else if (other != NULL && other->rec.state == ST_UP) {
		buf_puts(&b, " to be healthy");
		why = other->rec.health_text;
		how = why[0] != '\0' ? "now " : NULL;
	} else if (how != NULL) {
		why = other->rec.reason;
		how = why[0] != '\0' ? how : NULL;
	}
	if (how != NULL) {
		buf_printf(&b, ", %s", how);
		/* What does not fit is cut, not left out. */
		buf_put(&b, why, strlen(why) < buf_room(&b) ? strlen(why) :
		    buf_room(&b));
	}
	(void)buf_cstr(&b);
}

static void
mark(const struct service *sv, const struct conf_needs *list)
{
	struct service *other;
	int i;

	for (i = 0; i < list->n; i++) {
		other = tree_find(sv->tree, list->v[i].name);
		if (other != NULL && other != sv)
			other->is_held = true;
	}
}

void
needs_mark_held(struct tree *t)
{
	int i;

	for (i = 0; i < t->n; i++)
		t->sv[i]->is_held = false;
	for (i = 0; i < t->n; i++) {
		if (!state_is_alive((enum state)t->sv[i]->rec.state))
			continue;
		mark(t->sv[i], &t->sv[i]->conf->needs);
		mark(t->sv[i], &t->sv[i]->conf->after);
	}
}
