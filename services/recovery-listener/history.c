/* SPDX-License-Identifier: ISC */
/*
 * Seconds well, ill and stopped, by service and quarter of an hour, in a
 * ring of a day.
 */
#include <stdio.h>
#include <string.h>

#include "history.h"
#include "json.h"

#define HISTORIES	512
#define SLOT_US		(HISTORY_SLOT_S * INT64_C(1000000))

struct slot {
	float	well, ill, stopped;	/* seconds */
};

struct history {
	char	 name[64];
	enum was was;			/* since at_us */
	int64_t	 at_us;
	struct slot slot[HISTORY_SLOTS];
};

static struct history histories[HISTORIES];
static int nhistories;

static struct history *
find(const char *name)
{
	int i;

	for (i = 0; i < nhistories; i++)
		if (strcmp(histories[i].name, name) == 0)
			return &histories[i];
	if (nhistories == HISTORIES)
		return NULL;
	memset(&histories[nhistories], 0, sizeof histories[0]);
	(void)snprintf(histories[nhistories].name, sizeof histories[0].name,
	    "%s", name);
	return &histories[nhistories++];
}

static void
spend(struct slot *s, enum was was, int64_t us)
{
	float seconds = (float)us / 1e6F;

	switch (was) {
	case WAS_WELL:
		s->well += seconds;
		break;
	case WAS_ILL:
		s->ill += seconds;
		break;
	case WAS_STOPPED:
		s->stopped += seconds;
		break;
	case WAS_UNKNOWN:
		break;
	}
}

/* Spends the time up to now as it was; slots that begin are emptied. */
static void
advance(struct history *h, int64_t now_us)
{
	int64_t end, day = SLOT_US * HISTORY_SLOTS;

	if (h->at_us == 0)
		h->at_us = now_us;
	if (now_us - h->at_us >= day) {		/* all of it is old */
		memset(h->slot, 0, sizeof h->slot);
		h->at_us = now_us - day;
	}
	while (h->at_us < now_us) {
		end = (h->at_us / SLOT_US + 1) * SLOT_US;
		if (end > now_us)
			end = now_us;
		spend(&h->slot[h->at_us / SLOT_US % HISTORY_SLOTS], h->was,
		    end - h->at_us);
		h->at_us = end;
		if (end % SLOT_US == 0)
			h->slot[end / SLOT_US % HISTORY_SLOTS] =
			    (struct slot){ .well = 0 };
	}
}

void
history_add(const char *service, enum was was, int64_t at_us)
{
	struct history *h = find(service);

	if (h == NULL)
		return;
	advance(h, at_us);
	h->was = was;
}

void
history_know(const char *service, enum was was, int64_t since_us,
    int64_t now_us)
{
	const struct history *h = find(service);

	if (h != NULL && h->at_us == 0 && since_us != 0)
		history_add(service, was, since_us);
	history_add(service, was, now_us);
}

enum was
history_judge(const char *state, const char *want, const char *health)
{
	if (strcmp(want, "up") != 0)
		return WAS_STOPPED;
	if (strcmp(state, "UP") == 0)
		return strcmp(health, "failing") == 0 ? WAS_ILL : WAS_WELL;
	return WAS_ILL;
}

static char
letter(const struct slot *s)
{
	float all = s->well + s->ill + s->stopped;

	if (all <= 0)
		return '-';
	if (s->ill * 2 >= s->well + s->ill && s->ill > 0)
		return 'i';
	if (s->ill >= 0.5F)
		return 'p';
	return s->well > 0 ? 'w' : 's';
}

static void
put_one(struct buf *b, struct history *h, int64_t now_us)
{
	int64_t newest = now_us / SLOT_US, i;
	char slots[HISTORY_SLOTS + 1];
	float well = 0, ill = 0;
	const struct slot *s;

	advance(h, now_us);
	for (i = 0; i < HISTORY_SLOTS; i++) {
		s = &h->slot[(newest + 1 + i) % HISTORY_SLOTS];
		slots[i] = letter(s);
		well += s->well;
		ill += s->ill;
	}
	slots[HISTORY_SLOTS] = '\0';
	json_key(b, h->name);
	json_open(b, '{');
	json_key(b, "ratio");
	if (well + ill > 0)
		buf_printf(b, "%.5f", (double)(well / (well + ill)));
	else
		json_put_null(b);
	json_set_str(b, "slots", slots);
	json_close(b, '}');
}

void
history_put(struct buf *b, int64_t now_us)
{
	int i;

	json_open(b, '{');
	json_set_int(b, "slot_s", HISTORY_SLOT_S);
	json_key(b, "services");
	json_open(b, '{');
	for (i = 0; i < nhistories; i++)
		put_one(b, &histories[i], now_us);
	json_close(b, '}');
	json_close(b, '}');
}

void
history_reset(void)
{
	nhistories = 0;
}
