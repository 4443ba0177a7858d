/* SPDX-License-Identifier: ISC */
/*
 * svctl adopt-compose: containers of a compose file become services, each a
 * directory for container-keeper.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "svctl_adopt.h"
#include "svctl_edit.h"

#define FILE_MAX	(1 << 20)

static int
load(const char *root, const char *file, struct compose *co)
{
	char *text = malloc(FILE_MAX), real[1200], err[COMPOSE_ERR_LEN];
	int rc = -1;

	(void)snprintf(real, sizeof real, "%s%s", root, file);
	if (text == NULL || edit_read(real, text, FILE_MAX) < 0)
		(void)fprintf(stderr, "svctl: %s: %s\n", real,
		    strerror(errno));
	else if (compose_read(text, strlen(text), co, err) < 0)
		(void)fprintf(stderr, "svctl: %s:%s\n", real, err);
	else
		rc = 0;
	free(text);
	return rc;
}

/* A directory's name: what the container is called, without what a name of
 * a service may not have. */
static void
put_name(char *dst, size_t cap, const char *container)
{
	size_t n = 0;

	for (; *container != '\0' && n + 1 < cap; container++)
		dst[n++] = strchr("/ \t:", *container) != NULL ? '_' :
		    *container;
	dst[n] = '\0';
}

static void
put_definition(char *text, size_t cap, const struct compose *co,
    const struct compose_service *s, const char *file, bool with_ollama)
{
	char container[128];
	struct buf b;

	compose_container(co, file, s, container, sizeof container);
	buf_init(&b, text, cap);
	buf_printf(&b, "# The container %s of %s, as one service.\n"
	    "# Made by svctl adopt-compose; container-keeper(8).\n\n"
	    "[service]\n"
	    "description = container %s\n"
	    "exec = container-keeper\n"
	    "ready = notify\n"
	    "# It may have to be built or pulled.\n"
	    "start-timeout = 0\n", container, file, container);
	if (with_ollama && s->ollama)
		buf_puts(&b, "# Its part of the compose file speaks of "
		    "Ollama.\n"
		    "needs = docker ollama:healthy\n");
	else
		buf_puts(&b, "needs = docker\n");
	buf_puts(&b, "# Dies again and again: give up, try rarely.\n"
	    "restart-limit = 5/10m\n"
	    "stop-timeout = 30s\n"
	    "pass-environment = DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG "
	    "XDG_RUNTIME_DIR\n\n"
	    "[container]\n");
	buf_printf(&b, "name = %s\n", container);
	if (strcmp(container, s->name) != 0)
		buf_printf(&b, "service = %s\n", s->name);
	buf_printf(&b, "compose = %s\n", file);
	if (co->project[0] != '\0')
		buf_printf(&b, "project = %s\n", co->project);
	else
		buf_puts(&b, "# Compose's own: the name of the file's "
		    "directory.\n#project =\n");
	buf_puts(&b, "# leave: stopping the service lets the container run.\n"
	    "on-stop = container\n");
	(void)buf_cstr(&b);
}

static int
no_such(const char *file, struct compose *co, const char *name)
{
	const char *names[COMPOSE_SERVICES + 1], *near;
	int i;

	for (i = 0; i < co->n; i++)
		names[i] = co->service[i].name;
	names[i] = NULL;
	near = ctl_nearest(name, names);
	(void)fprintf(stderr, "svctl: %s has no service %s; ", file, name);
	if (near != NULL) {
		(void)fprintf(stderr, "did you mean %s?\n", near);
		return CTL_NO_SERVICE;
	}
	(void)fputs("it has:", stderr);
	for (i = 0; i < co->n; i++)
		(void)fprintf(stderr, " %s", co->service[i].name);
	(void)fputc('\n', stderr);
	return CTL_NO_SERVICE;
}

static int
adopt_one(struct compose *co, const char *file, const char *name,
    const char *dir, bool with_ollama)
{
	struct compose_service *s = compose_find(co, name);
	char text[EDIT_MAX], container[128], service[CONF_NAME_MAX + 1];

	compose_container(co, file, s, container, sizeof container);
	put_name(service, sizeof service, container);
	put_definition(text, sizeof text, co, s, file, with_ollama);
	if (example_write(dir, service, text) < 0)
		return CTL_FAILED;
	if (!s->memory)
		(void)printf("    %s has no mem_limit in %s: one that eats "
		    "the memory takes others with it\n", name, file);
	return CTL_OK;
}

int
adopt_compose(struct ctl *c, const char *root, const char *file,
    const char *critical, const char *dir, bool with_ollama)
{
	char names[1024], *at = names, *name;
	static struct compose co;
	int rc = CTL_OK;

	(void)c;
	if (load(root, file, &co) < 0)
		return CTL_FAILED;
	/* All or nothing: first every name, then the files. */
	(void)strlcpy(names, critical, sizeof names);
	while ((name = strsep(&at, ", ")) != NULL)
		if (name[0] != '\0' && compose_find(&co, name) == NULL)
			return no_such(file, &co, name);
	if (example_write(dir, "docker", example_text("docker")) < 0)
		return CTL_FAILED;
	(void)strlcpy(names, critical, sizeof names);
	for (at = names; rc == CTL_OK && (name = strsep(&at, ", ")) !=
	    NULL;)
		if (name[0] != '\0')
			rc = adopt_one(&co, file, name, dir, with_ollama);
	return rc;
}

void
adopt_names(const char *root, const char *file, char *dst, size_t cap)
{
	static struct compose co;
	size_t len = 0;
	int i;

	dst[0] = '\0';
	if (load(root, file, &co) < 0)
		return;
	for (i = 0; i < co.n && len < cap; i++)
		len += (size_t)snprintf(dst + len, cap - len, "%s%s",
		    i > 0 ? "," : "", co.service[i].name);
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

int
svctl_adopt_compose(struct ctl *c)
{
	char dir[1024], file[PATH_MAX], ollama[1200];
	const char *critical = c->opt[OPT_CRITICAL];
	struct conf_tree t;
	int rc;

	if (critical == NULL) {
		(void)fprintf(stderr, "svctl: which of its services must be "
		    "up? svctl adopt-compose %s --critical a,b\n",
		    c->name[0]);
		return CTL_USAGE;
	}
	/* Absolute: who reads it later stands elsewhere. */
	if (realpath(c->name[0], file) == NULL) {
		(void)fprintf(stderr, "svctl: %s: %s\n", c->name[0],
		    strerror(errno));
		return CTL_FAILED;
	}
	if (c->opt[OPT_SERVICES] != NULL)
		(void)strlcpy(dir, c->opt[OPT_SERVICES], sizeof dir);
	else
		ctl_services_dir(c, dir, sizeof dir);
	(void)snprintf(ollama, sizeof ollama, "%s/ollama/service.conf", dir);
	rc = adopt_compose(c, "", file, critical, dir,
	    access(ollama, F_OK) == 0);
	if (rc != CTL_OK)
		return rc;
	if (conf_load(&t, dir, print_error, NULL) < 0) {
		(void)fprintf(stderr, "svctl: %s has errors; mend the above, "
		    "then: svctl reload\n", dir);
		return CTL_FAILED;
	}
	(void)printf("%s: %d services, no error; next: svctl reload\n", dir,
	    t.n);
	conf_free(&t);
	return CTL_OK;
}
