/* SPDX-License-Identifier: ISC */
/*
 * The table of keys for people: each with its default as it would be written
 * in service.conf.
 */
#include <string.h>

#include "buf.h"
#include "conf_kinds.h"

static void
put_quantity(struct buf *b, int64_t n, const char *const *unit,
    const int64_t *factor, int units)
{
	int i = 0;

	if (n == 0)
		return;
	while (i + 1 < units && n % factor[i] != 0)
		i++;
	buf_printf(b, "%lld%s", (long long)(n / factor[i]), unit[i]);
}

static void
put_duration(struct buf *b, int64_t ms)
{
	static const char *const unit[] = { "h", "m", "s", "ms" };
	static const int64_t factor[] = { 3600000, 60000, 1000, 1 };

	int skip = ms < 300000 ? 2 : 0;	/* people write 60s, not 1m */

	put_quantity(b, ms, unit + skip, factor + skip, 4 - skip);
}

static void
put_size(struct buf *b, int64_t n)
{
	static const char *const unit[] = { "G", "M", "K", "B" };
	static const int64_t factor[] = { 1 << 30, 1 << 20, 1 << 10, 1 };

	put_quantity(b, n, unit, factor, (int)nitems(unit));
}

/* Kinds without a default of their own put nothing. */
static void
put_value(struct buf *b, const struct conf_key *key, const void *where)
{
	switch (key->kind) {
	case KIND_DURATION:
		put_duration(b, *(const int64_t *)where);
		break;
	case KIND_SIZE:
		put_size(b, *(const int64_t *)where);
		break;
	case KIND_COUNT:
	case KIND_LIMIT:
		buf_printf(b, "%lld", (long long)*(const int64_t *)where);
		break;
	case KIND_BOOL:
		buf_puts(b, *(const bool *)where ? "yes" : "no");
		break;
	case KIND_FLAG:
		buf_puts(b, key->choice[*(const bool *)where]);
		break;
	case KIND_CHOICE:
		buf_puts(b, key->choice[*(const int *)where]);
		break;
	case KIND_SIGNAL:
		buf_puts(b, conf_signal_name(*(const int *)where) + 3);
		break;
	case KIND_READY:
		buf_puts(b, "none");
		break;
	case KIND_MODE:
		buf_printf(b, "%03o", *(const unsigned *)where);
		break;
	case KIND_NICE:
	case KIND_SCORE:
	case KIND_PATHS:
	case KIND_SOCKETS:
	case KIND_TEXT:
	case KIND_PATH:
	case KIND_URL:
	case KIND_NAME:
	case KIND_WORDS:
	case KIND_NEEDS:
	case KIND_CODES:
	case KIND_PORT:
	case KIND_MAX:
	default:
		break;
	}
}

void
conf_show_default(const struct conf_key *key, char *dst, size_t cap)
{
	struct conf_service sv;
	struct buf b;

	memset(&sv, 0, sizeof sv);
	conf_defaults(&sv);
	buf_init(&b, dst, cap);
	put_value(&b, key, conf_default(&sv, key));
	(void)buf_cstr(&b);
}
