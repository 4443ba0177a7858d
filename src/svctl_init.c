/* SPDX-License-Identifier: ISC */
/*
 * svctl init: looks at the machine, asks what it cannot know, writes a tree
 * of commented definitions from the shipped examples, and checks it.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "docker.h"
#include "os.h"
#include "svctl_adopt.h"
#include "svctl_edit.h"
#include "svctl_machine.h"

#define ASK_MAX	3	/* times for the same */
#define COMPOSE_MAX	8
#define OLLAMA_PORT	11434

struct init {
	struct ctl *c;
	struct machine m;
	char	 dir[1024];
	char	 ollama[MACHINE_PATH], mlx[MACHINE_PATH];
	struct store store;
	bool	 have_store, have_engine;
	char	 compose[COMPOSE_MAX][MACHINE_PATH];
	int	 ncompose, written, competitors;
};

static void
say(const char *label, const char *text)
{
	(void)printf("  %-16s %s\n", label, text);
}

static bool
say_competitor(void *arg, const struct competitor *c)
{
	struct init *in = arg;

	in->competitors++;
	say("also starts it", c->file);
	say("", c->mend);
	return true;
}

static void
look_ports(void)
{
	static const struct {
		uint16_t port;
		const char *what;
	} ports[] = {
		{ OLLAMA_PORT, "Ollama's" }, { 11435, "the MLX server's" },
		{ 9099, "the recovery listener's" },
	};
	char name[64], text[160];
	size_t i;
	pid_t pid;

	for (i = 0; i < nitems(ports); i++) {
		if ((pid = os_port_holder(ports[i].port, NULL)) == 0)
			continue;
		(void)snprintf(name, sizeof name, "a process");
		if (pid > 0)
			(void)os_proc_name(pid, name, sizeof name, NULL);
		(void)snprintf(text, sizeof text, "%s has %s port %d by now; "
		    "stop it before svtree starts", name, ports[i].what,
		    ports[i].port);
		say("port taken", text);
	}
}

static void
look_engine(struct init *in)
{
	char err[DOCKER_ERR_LEN];
	struct docker engine;

	memset(&engine, 0, sizeof engine);
	in->have_engine = docker_find(&engine, NULL, err) == 0;
	say("container engine", in->have_engine ? engine.socket :
	    "none found");
}

static void
look(struct init *in)
{
	char text[MACHINE_PATH + 128];
	int i;

	(void)puts("Found on this machine:");
	say("ollama", machine_program(&in->m, "ollama", in->ollama,
	    sizeof in->ollama) ? in->ollama : "not found");
	in->have_store = machine_store(&in->m, &in->store);
	if (in->have_store) {
		(void)snprintf(text, sizeof text, "%s, of %s, %d models",
		    in->store.path, in->store.owner, in->store.models);
		say("its models", text);
	}
	say("mlx", machine_program(&in->m, "mlx_lm.server", in->mlx,
	    sizeof in->mlx) ? in->mlx : "not found");
	look_engine(in);
	in->ncompose = machine_compose(&in->m, in->compose, COMPOSE_MAX);
	for (i = 0; i < in->ncompose; i++)
		say("compose file", in->compose[i]);
	look_ports();
	machine_competitors(&in->m, say_competitor, in);
	(void)putchar('\n');
}

/* The example of this name with some keys set: section, key, value, ...,
 * NULL. Values that are NULL leave the key as it is. */
struct setting {
	const char *section, *key, *value;
};

static int
write_example(struct init *in, const char *name, const struct setting *s,
    size_t n)
{
	char text[EDIT_MAX];
	size_t i;
	int rc;

	if (strlcpy(text, example_text(name), sizeof text) >= sizeof text)
		return -1;
	for (i = 0; i < n; i++)
		if (s[i].value != NULL && edit_set(text, sizeof text,
		    s[i].section, s[i].key, s[i].value) < 0)
			return -1;
	rc = example_write(in->dir, name, text);
	in->written += rc == 0;
	return rc < 0 ? -1 : 0;
}

/* What svtree would find by itself needs no absolute path. */
static bool
is_in_path(const char *program)
{
	const char *p = conf_default_path(), *end, *slash;

	slash = strrchr(program, '/');
	for (; slash != NULL && *p != '\0'; p = end + (*end == ':')) {
		end = p + strcspn(p, ":");
		if ((size_t)(end - p) == (size_t)(slash - program) &&
		    strncmp(p, program, (size_t)(end - p)) == 0)
			return true;
	}
	return false;
}

/* Is this the store that the service's user has anyway? */
static bool
is_own_store(const struct init *in)
{
	char mine[MACHINE_PATH];
	const struct passwd *pw = getpwuid(in->store.uid);
	const char *home = in->m.uid == 0 ? (pw != NULL ? pw->pw_dir : "") :
	    in->m.home;

	(void)snprintf(mine, sizeof mine, "%s/.ollama/models", home);
	return strcmp(mine, in->store.path) == 0;
}

static int
write_ollama(struct init *in)
{
	char exec[MACHINE_PATH + 64], user[MACHINE_PATH + 16];
	const struct setting settings[] = {
		{ "service", "exec", is_in_path(in->ollama) ? NULL : exec },
		{ "service", "user", in->have_store && in->m.uid == 0 ? user :
		    NULL },
		{ "environment", "OLLAMA_MODELS", in->have_store &&
		    !is_own_store(in) ? in->store.path : NULL },
	};

	if (in->ollama[0] == '\0') {
		(void)puts("  ollama                     left out: install "
		    "it, then svctl init again");
		return 0;
	}
	(void)snprintf(exec, sizeof exec, "port-guard %d -- %s serve",
	    OLLAMA_PORT, in->ollama);
	(void)snprintf(user, sizeof user, "owner-of:%s", in->store.path);
	if (in->m.uid != 0 && in->have_store && in->store.uid != in->m.uid)
		(void)printf("    the models in %s belong to %s: your Ollama "
		    "will not have them\n", in->store.path, in->store.owner);
	return write_example(in, "ollama", settings, nitems(settings));
}

static int
write_mlx(struct init *in)
{
	char exec[MACHINE_PATH + 64], user[MACHINE_PATH + 16];
	const struct setting settings[] = {
		{ "service", "exec", is_in_path(in->mlx) ? NULL : exec },
		/* Not as root; whoever installed it may run it. */
		{ "service", "user", in->m.uid == 0 ? user : NULL },
		{ "service", "needs", "boot-guard" },
	};

	if (in->mlx[0] == '\0')
		return 0;
	(void)snprintf(exec, sizeof exec, "port-guard 11435 -- %s --host "
	    "127.0.0.1 --port 11435", in->mlx);
	(void)snprintf(user, sizeof user, "owner-of:%s", in->mlx);
	if (write_example(in, "boot-guard", NULL, 0) < 0)
		return -1;
	return write_example(in, "mlx", settings, nitems(settings));
}

static int
adopt(struct init *in, const char *file, const char *names)
{
	return adopt_compose(in->c, in->m.root, file, names, in->dir,
	    in->ollama[0] != '\0');
}

/* A person is asked again for a name that is not there. 1: none is wanted. */
static int
ask_containers(struct init *in, const char *file)
{
	char answer[512], names[512], question[MACHINE_PATH + 700];
	int rc, tries;

	adopt_names(in->m.root, file, names, sizeof names);
	(void)snprintf(question, sizeof question, "%s has: %s\nWhich of them "
	    "must always be up? (names by commas, none: Enter)", file, names);
	for (tries = 0; tries < ASK_MAX; tries++) {
		ask_line(in->c, question, answer, sizeof answer);
		if (answer[0] == '\0')
			return 1;
		if ((rc = adopt(in, file, answer)) != CTL_NO_SERVICE)
			return rc == CTL_OK ? 0 : -1;
	}
	return -1;
}

/* Which compose file, and what of it must be up. */
static int
write_containers(struct init *in)
{
	const char *critical = in->c->opt[OPT_CRITICAL];
	int i, rc;

	if (critical != NULL && in->ncompose > 0 && critical[0] != '\0')
		return adopt(in, in->compose[0], critical) == CTL_OK ? 0 : -1;
	for (i = 0; i < in->ncompose && critical == NULL; i++)
		if ((rc = ask_containers(in, in->compose[i])) <= 0)
			return rc;
	if (in->ncompose > 0 && critical == NULL)
		(void)printf("  containers: svctl adopt-compose %s "
		    "--critical NAME,...\n", in->compose[0]);
	return 0;
}

static int
write_tree(struct init *in)
{
	static const char *const always[] = { "health-monitor",
	    "recovery-listener", "recover", "oom-watcher" };
	char down[sizeof in->dir + 16];
	size_t i;

	(void)printf("Writing %s:\n", in->dir);
	if (edit_mkdirs(in->dir) < 0 || write_ollama(in) < 0 ||
	    write_mlx(in) < 0)
		return -1;
	for (i = 0; i < nitems(always); i++)
		if (write_example(in, always[i], NULL, 0) < 0)
			return -1;
	/* It runs when it is asked for, not at each start. */
	(void)snprintf(down, sizeof down, "%s/recover/down", in->dir);
	if (access(down, F_OK) < 0 && edit_write(down, "", 0644) < 0)
		return -1;
	return write_containers(in);
}

static void
print_error(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

static int
check_tree(struct init *in)
{
	struct conf_tree t;

	if (in->m.root[0] != '\0')
		return CTL_OK;	/* its programs and users are not here */
	if (conf_load(&t, in->dir, print_error, NULL) < 0) {
		(void)fprintf(stderr, "svctl: the tree has errors; mend the "
		    "above, then: svctl check %s\n", in->dir);
		return CTL_FAILED;
	}
	(void)printf("%s: %d services, no error\n", in->dir, t.n);
	conf_free(&t);
	(void)printf("Next: look them over, then svctl install%s%s, or try "
	    "it: svtree%s%s\n", in->c->n > 0 ? " " : "", in->c->n > 0 ?
	    in->dir : "", in->c->n > 0 ? " " : "", in->c->n > 0 ? in->dir :
	    "");
	return CTL_OK;
}

int
svctl_init(struct ctl *c)
{
	static struct init in;

	in.c = c;
	machine_init(&in.m, c->opt[OPT_ROOT]);
	if (c->n > 0)
		(void)strlcpy(in.dir, c->name[0], sizeof in.dir);
	else if (in.m.uid == 0)
		(void)snprintf(in.dir, sizeof in.dir, "%.500s/etc/svtree/"
		    "services", in.m.root);
	else
		(void)snprintf(in.dir, sizeof in.dir, "%.400s%.400s/.svtree/"
		    "services", in.m.root, in.m.home);
	look(&in);
	if (!ask_yes(c, "Write a tree of services to %s?", in.dir)) {
		(void)fputs("svctl: nothing was written; y would be yes, and "
		    "--yes asks nothing\n", stderr);
		return CTL_FAILED;
	}
	if (write_tree(&in) < 0)
		return CTL_FAILED;
	if (in.competitors > 0)
		(void)puts("Take away what else starts the same servers: "
		    "svctl install asks for each");
	return check_tree(&in);
}
