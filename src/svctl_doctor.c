/* SPDX-License-Identifier: ISC */
/*
 * svctl doctor: runs the groups of checks and prints what they find; red
 * when red. The checks are elsewhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "svctl_doctor.h"

static const struct {
	const char *word, *utf8, *ascii;
	enum hue hue;
} looks[RESULT_COUNT] = {
	[FINE] = { "ok", "✓", "ok", HUE_GOOD },
	[NOTE] = { "note", "·", "--", HUE_DIM },
	[WARN] = { "warning", "!", "! ", HUE_WARN },
	[BAD] = { "failed", "✗", "X ", HUE_BAD },
};

void
doctor_group(struct doctor *d, const char *name)
{
	(void)strlcpy(d->group, name, sizeof d->group);
	d->is_headed = false;
}

static void
print_finding(const struct doctor *d, const struct finding *f)
{
	(void)printf("  %s%s%s ", ctl_hue(&d->t, looks[f->result].hue),
	    d->t.utf8 ? looks[f->result].utf8 : looks[f->result].ascii,
	    ctl_hue(&d->t, HUE_NONE));
	(void)ctl_put(stdout, &d->t, f->what, 0);
	(void)fputc('\n', stdout);
	if (f->mend[0] != '\0')
		(void)printf("      %s%s%s\n", ctl_hue(&d->t, HUE_BUSY),
		    f->mend, ctl_hue(&d->t, HUE_NONE));
	(void)fflush(stdout);	/* the next check may take its time */
}

void
doctor_put(struct doctor *d, enum result result, const char *mend,
    const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	d->count[result]++;
	if (d->n == d->room) {
		f = realloc(d->found, (size_t)(d->room * 2 + 32) * sizeof *f);
		if (f == NULL)
			return;
		d->found = f;
		d->room = d->room * 2 + 32;
	}
	f = &d->found[d->n++];
	memset(f, 0, sizeof *f);
	f->result = result;
	(void)strlcpy(f->group, d->group, sizeof f->group);
	(void)strlcpy(f->mend, mend != NULL ? mend : "", sizeof f->mend);
	va_start(ap, fmt);
	(void)vsnprintf(f->what, sizeof f->what, fmt, ap);
	va_end(ap);
	if (d->c->json || d->c->quiet)
		return;
	if (!d->is_headed)	/* no heading above nothing */
		(void)printf("%s%s%s\n", ctl_hue(&d->t, HUE_BOLD), d->group,
		    ctl_hue(&d->t, HUE_NONE));
	d->is_headed = true;
	print_finding(d, f);
}

const struct sv *
doctor_sv(const struct doctor *d, const char *name)
{
	return ctl_find(&d->list, name);
}

static void
print_json(const struct doctor *d)
{
	char mem[2048];
	struct buf b;
	int i;

	(void)printf("{\"failed\":%d,\"warnings\":%d,\"checks\":[",
	    d->count[BAD], d->count[WARN]);
	for (i = 0; i < d->n; i++) {
		const struct finding *f = &d->found[i];

		buf_init(&b, mem, sizeof mem);
		json_open(&b, '{');
		json_set_str(&b, "group", f->group);
		json_set_str(&b, "result", looks[f->result].word);
		json_set_str(&b, "what", f->what);
		json_set_str(&b, "mend", f->mend[0] != '\0' ? f->mend :
		    NULL);
		json_close(&b, '}');
		(void)printf("%s%.*s", i > 0 ? "," : "", (int)b.len, mem);
	}
	(void)puts("]}");
}

static void
print_verdict(const struct doctor *d)
{
	int all = d->count[FINE] + d->count[WARN] + d->count[BAD];

	(void)printf("\n%s%d of %d checks failed, %d warning%s%s\n",
	    ctl_hue(&d->t, d->count[BAD] > 0 ? HUE_BAD : HUE_GOOD),
	    d->count[BAD], all, d->count[WARN], d->count[WARN] == 1 ? "" :
	    "s", ctl_hue(&d->t, HUE_NONE));
}

int
svctl_doctor(struct ctl *c)
{
	static void (*const groups[])(struct doctor *) = { doctor_tree,
	    doctor_services, doctor_servers, doctor_containers,
	    doctor_recovery, doctor_host };
	struct doctor d = { .c = c, .t = ctl_term(stdout) };
	char err[CLIENT_ERR_LEN];
	size_t i;

	machine_init(&d.m, c->opt[OPT_ROOT]);
	d.alive = client_open(&c->client, c->run, err) == 0 &&
	    ctl_list(c, NULL, 0, &d.list, false) == CTL_OK;
	ctl_services_dir(c, d.services, sizeof d.services);
	for (i = 0; i < nitems(groups); i++)
		groups[i](&d);
	if (c->json)
		print_json(&d);
	else if (!c->quiet)
		print_verdict(&d);
	if (d.have_conf)
		conf_free(&d.conf);
	ctl_list_free(&d.list);
	free(d.found);
	return d.count[BAD] > 0 ? CTL_FAILED : CTL_OK;
}
