/* SPDX-License-Identifier: ISC */
/*
 * Values in text: durations, sizes, signals, words. Knows no key and no file.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "conf_private.h"

struct unit {
	const char	*name;
	int64_t		 factor;
};

static const struct unit durations[] = {
	{ "ms", 1 }, { "s", 1000 }, { "sec", 1000 }, { "m", 60000 },
	{ "min", 60000 }, { "h", 3600000 }, { "d", 86400000 }, { NULL, 0 }
};

static const struct unit sizes[] = {
	{ "B", 1 }, { "K", 1 << 10 }, { "KiB", 1 << 10 }, { "M", 1 << 20 },
	{ "MiB", 1 << 20 }, { "G", 1 << 30 }, { "GiB", 1 << 30 },
	{ "T", (int64_t)1 << 40 }, { "TiB", (int64_t)1 << 40 }, { NULL, 0 }
};

/* A number and its unit from *text on; *text is moved behind them. */
static int64_t
quantity(const char **text, const struct unit *unit, int64_t bare)
{
	const char *word;
	char *end;
	long long n;
	size_t len;

	if (!isdigit((unsigned char)**text))
		return -1;
	errno = 0;
	n = strtoll(*text, &end, 10);
	if (errno != 0)
		return -1;
	for (word = end; isalpha((unsigned char)*end); end++)
		continue;
	len = (size_t)(end - word);
	*text = end;
	if (len > 0) {
		for (; unit->name != NULL; unit++)
			if (strlen(unit->name) == len &&
			    strncmp(unit->name, word, len) == 0)
				break;
		if (unit->name == NULL)
			return -1;
		bare = unit->factor;
	}
	return n > INT64_MAX / 16 / bare ? -1 : n * bare;
}

int64_t
conf_duration(const char *text)
{
	int64_t sum = 0, part;

	do {
		part = quantity(&text, durations, 1000);
		if (part < 0 || sum > INT64_MAX / 2)
			return -1;
		sum += part;
	} while (*text != '\0');
	return sum;
}

int64_t
conf_size(const char *text)
{
	int64_t n = quantity(&text, sizes, 1);

	return *text == '\0' ? n : -1;
}

/* Copies one word to mem; returns what stands behind it, NULL on an open
 * quote. */
static const char *
one_word(const char *p, struct buf *mem)
{
	char quote = '\0';

	for (; *p != '\0'; p++) {
		if (quote == '\0' && isspace((unsigned char)*p))
			break;
		if (quote == '\0' && (*p == '\'' || *p == '"')) {
			quote = *p;
		} else if (*p == quote && quote != '\0') {
			quote = '\0';
		} else {
			if (*p == '\\' && quote != '\'' && p[1] != '\0')
				p++;
			buf_putc(mem, *p);
		}
	}
	buf_putc(mem, '\0');
	return quote == '\0' ? p : NULL;
}

int
conf_split(const char *text, char **word, int max, char *mem, size_t cap,
    char *err)
{
	const char *p = text;
	struct buf b;
	int n = 0;

	buf_init(&b, mem, cap);
	for (;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (*p == '\0')
			return n;
		if (n == max) {
			(void)snprintf(err, CONF_ERR_LEN,
			    "more than %d words", max);
			return -1;
		}
		word[n++] = b.base + b.len;
		p = one_word(p, &b);
		if (p == NULL || b.overflow) {
			(void)snprintf(err, CONF_ERR_LEN, p == NULL ?
			    "a quote is not closed" : "too long");
			return -1;
		}
	}
}

int
conf_words(struct conf_reader *rd, const char *key, const char *text,
    struct conf_list *list)
{
	char mem[CONF_VALUE_MAX + CONF_WORDS_MAX], err[CONF_ERR_LEN];
	char *word[CONF_WORDS_MAX];
	int i, n;

	n = conf_split(text, word, CONF_WORDS_MAX, mem, sizeof mem, err);
	if (n < 0) {
		conf_error(rd, "%s: %s", key, err);
		return -1;
	}
	list->v = conf_alloc(rd->tree, ((size_t)n + 1) * sizeof *list->v);
	if (list->v == NULL)
		return -1;
	for (i = 0; i < n; i++)
		if ((list->v[i] = conf_copy(rd->tree, word[i])) == NULL)
			return -1;
	list->n = n;
	return 0;
}

static const struct {
	int		 number;
	const char	*name;
} signals[] = {
	{ SIGHUP, "SIGHUP" }, { SIGINT, "SIGINT" }, { SIGQUIT, "SIGQUIT" },
	{ SIGILL, "SIGILL" }, { SIGTRAP, "SIGTRAP" },
	{ SIGABRT, "SIGABRT" }, { SIGBUS, "SIGBUS" }, { SIGFPE, "SIGFPE" },
	{ SIGKILL, "SIGKILL" }, { SIGUSR1, "SIGUSR1" },
	{ SIGSEGV, "SIGSEGV" }, { SIGUSR2, "SIGUSR2" },
	{ SIGPIPE, "SIGPIPE" }, { SIGALRM, "SIGALRM" },
	{ SIGTERM, "SIGTERM" }, { SIGCHLD, "SIGCHLD" },
	{ SIGCONT, "SIGCONT" }, { SIGSTOP, "SIGSTOP" },
	{ SIGTSTP, "SIGTSTP" }, { SIGTTIN, "SIGTTIN" },
	{ SIGTTOU, "SIGTTOU" }, { SIGURG, "SIGURG" },
	{ SIGXCPU, "SIGXCPU" }, { SIGXFSZ, "SIGXFSZ" },
	{ SIGVTALRM, "SIGVTALRM" }, { SIGPROF, "SIGPROF" },
	{ SIGWINCH, "SIGWINCH" }, { SIGIO, "SIGIO" }, { SIGSYS, "SIGSYS" },
};

int
conf_signal(const char *text)
{
	const char *wrong;
	int n;
	size_t i;

	for (i = 0; i < nitems(signals); i++)
		if (strcasecmp(text, signals[i].name) == 0 ||
		    strcasecmp(text, signals[i].name + 3) == 0)
			return signals[i].number;
	n = (int)strtonum(text, 1, NSIG - 1, &wrong);
	return wrong == NULL ? n : -1;
}

const char *
conf_signal_name(int signo)
{
	size_t i;

	for (i = 0; i < nitems(signals); i++)
		if (signals[i].number == signo)
			return signals[i].name;
	return "a signal without a name";
}
