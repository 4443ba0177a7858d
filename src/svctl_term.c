/* SPDX-License-Identifier: ISC */
/*
 * What the terminal can do, how states look on it, and text that comes from
 * programs put so that it can do no harm there.
 */
#include <sys/ioctl.h>

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "buf.h"
#include "svctl.h"

static const char *const hues[HUE_COUNT] = {
	[HUE_NONE] = "0", [HUE_GOOD] = "32", [HUE_WARN] = "33",
	[HUE_BAD] = "31", [HUE_BUSY] = "36", [HUE_DIM] = "2",
	[HUE_BOLD] = "1",
};

static const struct {
	const char *state, *glyph, *ascii;
	enum hue hue;
} looks[] = {
	{ "UP", "●", "*", HUE_GOOD }, { "DOWN", "○", "-", HUE_DIM },
	{ "WAITING", "◌", ".", HUE_BUSY }, { "STARTING", "◐", ">", HUE_BUSY },
	{ "STOPPING", "◑", "<", HUE_WARN },
	{ "FINISHING", "◑", "<", HUE_WARN },
	{ "BACKOFF", "↻", "~", HUE_WARN }, { "TRIPPED", "✗", "x", HUE_BAD },
	{ "UNKNOWN", "?", "?", HUE_BAD },
};

static int
width_of(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize ws;
	int n = columns != NULL ? atoi(columns) : 0;

	if (n <= 0 && ioctl(fd, TIOCGWINSZ, &ws) == 0)
		n = ws.ws_col;
	return n > 0 ? n : 80;
}

struct term
ctl_term(FILE *out)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	struct term t = { false, false, false, 0 };

	(void)setlocale(LC_CTYPE, "");
	t.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	t.terminal = isatty(fileno(out)) == 1;
	if (!t.terminal)
		return t;
	t.width = width_of(fileno(out));
	t.colour = (no == NULL || no[0] == '\0') && term != NULL &&
	    term[0] != '\0' && strcmp(term, "dumb") != 0;
	return t;
}

const char *
ctl_hue(const struct term *t, enum hue hue)
{
	static char text[4][16];
	static int turn;
	char *s = text[turn++ % 4];

	if (!t->colour)
		return "";
	(void)snprintf(s, sizeof text[0], "\033[%sm", hues[hue]);
	return s;
}

/* One character: its bytes, and in *columns its width. What is not to be
 * printed as it stands has width -1. */
static size_t
next_char(const struct term *t, const char *text, int *columns)
{
	unsigned char c = (unsigned char)text[0];
	mbstate_t state;
	wchar_t wide;
	size_t n;

	*columns = c < 0x20 || c == 0x7f ? -1 : 1;
	if (c < 0x80 || !t->utf8) {
		if (c >= 0x80 && t->terminal)
			*columns = -1;
		return 1;
	}
	memset(&state, 0, sizeof state);
	n = mbrtowc(&wide, text, strlen(text), &state);
	if (n == (size_t)-1 || n == (size_t)-2) {
		*columns = -1;
		return 1;
	}
	*columns = wcwidth(wide);
	return n;
}

/* Most text is printable ASCII: a byte a column. */
static size_t
plain_length(const char *text)
{
	size_t n;

	for (n = 0; text[n] >= ' ' && text[n] <= '~'; n++)
		continue;
	return text[n] == '\0' ? n : SIZE_MAX;
}

int
ctl_columns(const struct term *t, const char *text)
{
	int sum = 0, columns;
	size_t plain = plain_length(text);

	if (plain != SIZE_MAX)
		return (int)plain;
	while (*text != '\0') {
		text += next_char(t, text, &columns);
		sum += columns < 0 ? 1 : columns;
	}
	return sum;
}

int
ctl_put(FILE *out, const struct term *t, const char *text, int width)
{
	int sum = 0, columns, all = ctl_columns(t, text);
	bool cut = width > 0 && all > width;
	size_t n;

	if (!cut && plain_length(text) != SIZE_MAX) {
		(void)fputs(text, out);
		return all;
	}
	while (*text != '\0') {
		n = next_char(t, text, &columns);
		if (cut && sum + (columns < 0 ? 1 : columns) > width - 1) {
			(void)fputs(t->utf8 ? "…" : ">", out);
			return sum + 1;
		}
		if (columns < 0)
			(void)fputc(*text == '\t' || *text == '\n' ? ' ' :
			    '?', out);
		else
			(void)fwrite(text, 1, n, out);
		sum += columns < 0 ? 1 : columns;
		text += n;
	}
	return sum;
}

void
ctl_pad(FILE *out, int n)
{
	if (n > 0)
		(void)fprintf(out, "%*s", n, "");
}

enum hue
ctl_look(const struct term *t, const struct sv *sv, const char **glyph)
{
	size_t i;

	*glyph = "?";
	for (i = 0; i < nitems(looks); i++)
		if (strcmp(looks[i].state, sv->state) == 0)
			break;
	if (i == nitems(looks))
		return HUE_BAD;
	*glyph = t->utf8 ? looks[i].glyph : looks[i].ascii;
	if (i == 0 && strcmp(sv->health, "failing") == 0)
		return HUE_BAD;
	if (i == 0 && strcmp(sv->health, "degraded") == 0)
		return HUE_WARN;
	return looks[i].hue;
}
