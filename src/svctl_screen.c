/* SPDX-License-Identifier: ISC */
/*
 * The terminal as a screen: see the header. No curses: the few sequences
 * that every terminal of today knows.
 */
#include <sys/ioctl.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "buf.h"
#include "svctl_screen.h"

#define ESCAPE_MS	50	/* the rest of a key's sequence comes by then */

static struct termios before;
static bool is_open;
static volatile sig_atomic_t ended;
static char *frame_text;
static size_t frame_len;

static void
end(int signo)
{
	ended = signo;
}

static void
wake(int signo)
{
	(void)signo;	/* poll returns, the size is asked for anew */
}

static void
put(const char *text, size_t n)
{
	ssize_t put_now;

	while (n > 0) {
		put_now = write(STDOUT_FILENO, text, n);
		if (put_now < 0 && errno == EINTR)
			continue;
		if (put_now <= 0) {
			ended = SIGPIPE;
			return;
		}
		text += put_now;
		n -= (size_t)put_now;
	}
}

static void
put_text(const char *text)
{
	put(text, strlen(text));
}

int
screen_open(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = end };
	struct termios raw;
	size_t i;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) ||
	    tcgetattr(STDIN_FILENO, &before) < 0)
		return -1;
	for (i = 0; i < nitems(ends); i++)
		(void)sigaction(ends[i], &sa, NULL);
	sa.sa_handler = wake;
	(void)sigaction(SIGWINCH, &sa, NULL);
	raw = before;
	raw.c_lflag &= (tcflag_t)~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw) < 0)
		return -1;
	is_open = true;
	/* The other screen, no cursor, lines not wrapped. */
	put_text("\033[?1049h\033[?25l\033[?7l");
	return 0;
}

void
screen_close(void)
{
	if (!is_open)
		return;
	is_open = false;
	put_text("\033[?7h\033[?25h\033[?1049l");
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
}

void
screen_size(int *columns, int *rows)
{
	struct winsize ws;

	*columns = 80;
	*rows = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0 &&
	    ws.ws_row > 0) {
		*columns = ws.ws_col;
		*rows = ws.ws_row;
	}
}

static int
next_byte(int timeout_ms)
{
	struct pollfd pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char c;

	if (poll(&pfd, 1, timeout_ms) <= 0)
		return KEY_NONE;
	return read(STDIN_FILENO, &c, 1) == 1 ? c : KEY_END;
}

/* ESC [ A, ESC O A, ESC [ 5 ~ and their like. */
static int
take_sequence(void)
{
	static const struct {
		const char *bytes;
		int	 key;
	} keys[] = {
		{ "A", KEY_UP }, { "B", KEY_DOWN }, { "5~", KEY_PAGE_UP },
		{ "6~", KEY_PAGE_DOWN }, { "H", KEY_HOME }, { "F", KEY_LAST },
		{ "1~", KEY_HOME }, { "4~", KEY_LAST },
	};
	char bytes[8];
	size_t n = 0, i;
	int c = next_byte(ESCAPE_MS);

	if (c != '[' && c != 'O')
		return KEY_ESCAPE;
	while (n + 1 < sizeof bytes && (c = next_byte(ESCAPE_MS)) >= 0) {
		bytes[n++] = (char)c;
		if (c >= '@' && c <= '~')
			break;
	}
	bytes[n] = '\0';
	for (i = 0; i < nitems(keys); i++)
		if (strcmp(keys[i].bytes, bytes) == 0)
			return keys[i].key;
	return KEY_NONE;
}

int
screen_key(int other_fd, int timeout_ms)
{
	struct pollfd pfd[] = { { .fd = STDIN_FILENO, .events = POLLIN },
	    { .fd = other_fd, .events = POLLIN } };
	int c;

	if (ended == 0)
		(void)poll(pfd, other_fd >= 0 ? 2 : 1, timeout_ms);
	if (ended != 0)
		return KEY_END;
	if (pfd[0].revents == 0)
		return KEY_NONE;
	c = next_byte(0);
	return c == '\033' ? take_sequence() : c;
}

FILE *
screen_frame(void)
{
	FILE *frame = open_memstream(&frame_text, &frame_len);

	if (frame != NULL)
		(void)fputs("\033[H", frame);
	return frame;
}

void
screen_line(FILE *frame)
{
	(void)fputs("\033[K\r\n", frame);
}

void
screen_show(FILE *frame)
{
	(void)fputs("\033[K\033[J", frame);
	if (fclose(frame) == 0)
		put(frame_text, frame_len);
	free(frame_text);
	frame_text = NULL;
}
