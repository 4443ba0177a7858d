/* SPDX-License-Identifier: ISC */
/*
 * The rate of requests, and which of them starts a recovery.
 */
#include <stdio.h>
#include <string.h>

#include "pace.h"

bool
bucket_take(struct bucket *b, int burst, int rate, int64_t now_ms,
    int *retry_s)
{
	const int64_t full = (int64_t)burst * 1000;

	if (b->at_ms == 0)
		b->millis = full;
	else
		b->millis += (now_ms - b->at_ms) * rate;
	b->at_ms = now_ms;
	if (b->millis > full)
		b->millis = full;
	*retry_s = 0;
	if (b->millis >= 1000) {
		b->millis -= 1000;
		return true;
	}
	*retry_s = (int)((1000 - b->millis + rate * 1000 - 1) /
	    ((int64_t)rate * 1000));
	return false;
}

/* Is every name of a list in the other one? */
static bool
is_within(const char *names, const char *others)
{
	char word[128];
	size_t n;

	while (*names == ',' && names[1] != '\0') {
		n = strcspn(names + 1, ",");
		if (n + 3 > sizeof word)
			return false;
		(void)snprintf(word, sizeof word, ",%.*s,", (int)n,
		    names + 1);
		if (strstr(others, word) == NULL)
			return false;
		names += n + 1;
	}
	return true;
}

static int64_t
gap_ms(const struct pace *p, const struct situation *s, int64_t cooldown_ms)
{
	unsigned doublings = s->in_vain ? p->vain : 0;
	int64_t gap = cooldown_ms;

	while (doublings-- > 0 && gap < PACE_GAP_MAX_MS)
		gap *= 2;
	return gap < PACE_GAP_MAX_MS || cooldown_ms > PACE_GAP_MAX_MS ? gap :
	    PACE_GAP_MAX_MS;
}

enum pace_verdict
pace_decide(const struct pace *p, const struct situation *s,
    int64_t cooldown_ms, int64_t now_ms)
{
	if (s->running)
		return PACE_JOIN;
	if (!p->begun || !is_within(s->ill, p->ill))
		return PACE_START;
	return now_ms - p->started_ms < gap_ms(p, s, cooldown_ms) ?
	    PACE_COOLING : PACE_START;
}

void
pace_started(struct pace *p, const struct situation *s, int64_t now_ms)
{
	p->vain = p->begun && s->in_vain ? p->vain + 1 : 0;
	p->begun = true;
	p->started_ms = now_ms;
	(void)snprintf(p->ill, sizeof p->ill, "%s", s->ill);
}
