/* SPDX-License-Identifier: ISC */
/*
 * One service in full: want, is, why; what comes next and when; its
 * processes, port, needs, last end, definition, last lines of log; and what
 * a person would type now.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "os.h"
#include "svctl.h"

#define TAIL_LINES	10
#define LABEL		11

struct page {
	struct ctl *c;
	struct term t;
	const struct list *all;
	const struct sv *sv;
};

static void
put_label(const struct page *p, const char *label)
{
	ctl_pad(stdout, LABEL - (int)strlen(label));
	(void)printf("%s%s:%s ", ctl_hue(&p->t, HUE_DIM), label,
	    ctl_hue(&p->t, HUE_NONE));
}

/* Long text goes on below itself, broken at blanks. */
static void
put_text(const struct page *p, const char *label, const char *text)
{
	int room = p->t.width > 40 ? p->t.width - LABEL - 2 : 0;
	char line[1024];
	size_t n;

	if (text[0] == '\0')
		return;
	put_label(p, label);
	while (room > 0 && (int)strlen(text) > room) {
		for (n = (size_t)room; n > 1 && text[n] != ' '; n--)
			continue;
		if (n <= 1)
			break;
		(void)snprintf(line, sizeof line, "%.*s", (int)n, text);
		(void)ctl_put(stdout, &p->t, line, 0);
		(void)fputc('\n', stdout);
		ctl_pad(stdout, LABEL + 2);
		text += n + 1;
	}
	(void)ctl_put(stdout, &p->t, text, 0);
	(void)fputc('\n', stdout);
}

static void
put_head(const struct page *p)
{
	const struct sv *sv = p->sv;
	const char *glyph;
	enum hue hue = ctl_look(&p->t, sv, &glyph);

	(void)printf("%s%s%s%s%s%s%s", ctl_hue(&p->t, hue),
	    p->t.terminal ? glyph : "", p->t.terminal ? " " : "",
	    ctl_hue(&p->t, HUE_NONE), ctl_hue(&p->t, HUE_BOLD), sv->name,
	    ctl_hue(&p->t, HUE_NONE));
	if (sv->description[0] != '\0') {
		(void)fputs(" - ", stdout);
		(void)ctl_put(stdout, &p->t, sv->description, 0);
	}
	(void)fputc('\n', stdout);
}

static void
put_state(const struct page *p)
{
	const struct sv *sv = p->sv;
	char age[32], when[32], text[512];
	const char *glyph;
	enum hue hue = ctl_look(&p->t, sv, &glyph);

	ctl_ago(age, sizeof age, sv->since);
	ctl_local(when, sizeof when, sv->since);
	put_label(p, "is");
	(void)printf("%s%s%s for %s (since %s)%s%s\n", ctl_hue(&p->t, hue),
	    sv->state, ctl_hue(&p->t, HUE_NONE), age, when, sv->adopted ?
	    ", adopted" : "", sv->paused ? ", paused" : "");
	(void)snprintf(text, sizeof text, "%s%s", sv->want, sv->enabled ?
	    "" : " (disabled)");
	put_text(p, "wanted", text);
	put_text(p, "why", sv->reason);
	ctl_next_step(text, sizeof text, sv);
	put_text(p, "next", text);
	(void)snprintf(text, sizeof text, "%s%s%s", sv->health,
	    sv->health_text[0] != '\0' ? ": " : "", sv->health_text);
	put_text(p, "health", text);
	put_text(p, "says", sv->text);
}

static void
put_size(char *dst, size_t cap, uint64_t bytes)
{
	static const char units[] = "KMGT";
	double n = (double)bytes / 1024;
	size_t i = 0;

	while (n >= 1000 && units[i + 1] != '\0') {
		n /= 1024;
		i++;
	}
	(void)snprintf(dst, cap, n < 10 ? "%.1f %ciB" : "%.0f %ciB", n,
	    units[i]);
}

static void
put_processes(const struct page *p)
{
	const struct sv *sv = p->sv;
	uint64_t rss = 0, cpu_ms = 0;
	char text[256], memory[32], cpu[32], name[64] = "";
	uid_t uid;

	if (sv->pid <= 0)
		return;
	(void)os_proc_name((pid_t)sv->pid, name, sizeof name, &uid);
	(void)snprintf(text, sizeof text, "%lld%s%s%s%s%s", (long long)sv->pid,
	    name[0] != '\0' ? " (" : "", name, name[0] != '\0' ? ")" : "",
	    sv->user[0] != '\0' ? ", user " : "", sv->user);
	put_text(p, "process", text);
	if (os_group_usage((pid_t)sv->pid, &rss, &cpu_ms) < 0 || rss == 0)
		return;
	put_size(memory, sizeof memory, rss);
	ctl_duration(cpu, sizeof cpu, (int64_t)cpu_ms);
	(void)snprintf(text, sizeof text, "memory %s, CPU %s", memory, cpu);
	put_text(p, "its group", text);
}

static void
put_port(const struct page *p)
{
	char text[256];

	(void)ctl_port_words(text, sizeof text, p->sv);
	put_text(p, "port", text);
}

static void
put_needs(const struct page *p)
{
	char words[sizeof p->sv->needs], text[1024] = "", *at = words, *word;
	const struct sv *other;
	size_t n;

	(void)snprintf(words, sizeof words, "%s", p->sv->needs);
	while ((word = strsep(&at, " ")) != NULL && word[0] != '\0') {
		n = strcspn(word, ":");
		word[n] = word[n] == ':' ? '\0' : word[n];
		other = ctl_find(p->all, word);
		n = strlen(text);
		(void)snprintf(text + n, sizeof text - n, "%s%s %s%s%s",
		    n > 0 ? ", " : "", word, other != NULL ? other->state :
		    "?", other != NULL && ctl_is_up(other) ? " " : "",
		    other != NULL && ctl_is_up(other) ? other->health : "");
	}
	put_text(p, "needs", text);
}

static void
put_past(const struct page *p)
{
	const struct sv *sv = p->sv;
	char text[256], ago[32], what[64];

	(void)snprintf(text, sizeof text, "%lld", (long long)sv->restarts);
	put_text(p, "restarts", text);
	if (sv->exit_kind[0] == '\0')
		return;
	ctl_ago(ago, sizeof ago, sv->exit_at);
	if (ctl_is(sv->exit_kind, "exit"))
		(void)snprintf(what, sizeof what, "code %lld",
		    (long long)sv->exit_code);
	else
		(void)snprintf(what, sizeof what, "%s",
		    sv->exit_signal[0] != '\0' ? sv->exit_signal :
		    "status unknown");
	(void)snprintf(text, sizeof text, "%s%s, %s ago", what, sv->oom ?
	    " (out of memory)" : "", ago);
	put_text(p, "last exit", text);
}

static void
put_incident(const struct page *p)
{
	char text[400];

	ctl_last_incident(p->c, p->sv->name, text, sizeof text);
	put_text(p, "incident", text);
}

static void
put_definition(const struct page *p)
{
	static const char *const files[] = { "service.conf", "run" };
	const struct sup *sup = &p->all->sup;
	char path[1200], text[1400];
	size_t i;

	if (sup->services[0] == '\0')
		return;
	for (i = 0; i < nitems(files); i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", sup->services,
		    p->sv->name, files[i]);
		if (access(path, F_OK) == 0)
			break;
	}
	if (i == nitems(files))
		return;		/* the logger has none */
	(void)snprintf(text, sizeof text, "%s%s", path, p->sv->stale ?
	    " (changed since it was started)" : "");
	put_text(p, "definition", text);
}

static void
put_latency(const struct page *p)
{
	char text[256];

	ctl_latency_words(text, sizeof text, p->c->run, p->sv->name);
	put_text(p, "latency", text);
}

static void
put_log_line(void *arg, const char *line, size_t len)
{
	const struct page *p = arg;
	char text[2048];

	while (len > 0 && line[len - 1] == '\n')
		len--;
	(void)snprintf(text, sizeof text, "%.*s", (int)len, line);
	(void)fputs("  ", stdout);
	(void)ctl_put(stdout, &p->t, text, p->t.width > 4 ? p->t.width - 2 :
	    0);
	(void)fputc('\n', stdout);
}

void
ctl_print_page(struct ctl *c, const struct list *all, const struct sv *sv)
{
	struct page p = { .c = c, .t = ctl_term(stdout), .all = all,
	    .sv = sv };
	char text[256], dir[1024];

	put_head(&p);
	put_state(&p);
	put_processes(&p);
	put_port(&p);
	put_needs(&p);
	put_past(&p);
	put_incident(&p);
	put_definition(&p);
	put_latency(&p);
	ctl_advice(text, sizeof text, sv);
	put_text(&p, "do", text);
	if (ctl_log_dir(c, sv->name, dir, sizeof dir) < 0)
		return;
	(void)fputc('\n', stdout);
	(void)ctl_last_lines(dir, TAIL_LINES, put_log_line, &p);
}
