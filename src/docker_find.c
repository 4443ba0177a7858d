/* SPDX-License-Identifier: ISC */
/*
 * Where the engine's socket lies. Reads the docker client's context as that
 * client does; talks to nobody, but looks whether somebody listens, as dead
 * sockets of other engines stay behind.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "docker.h"
#include "json.h"
#include "os.h"

#define FILE_MAX	(64 << 10)
#define CONTEXTS_MAX	64	/* more are not looked at */

struct search {
	struct docker *d;
	char	 first[256];	/* exists, nobody listens */
	struct buf tried;
};

/* --- the context of the docker client */

/* A member of a JSON file, "" when there is none. */
static void
json_file(const char *path, const char *member, const char *other,
    char *dst, char *dst_other, size_t cap)
{
	char *text = malloc(FILE_MAX), err[JSON_ERR_LEN];
	struct json_tok *tok = calloc(FILE_MAX / 2, sizeof *tok);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct json j;
	ssize_t n;

	dst[0] = '\0';
	if (dst_other != NULL)
		dst_other[0] = '\0';
	if (text != NULL && tok != NULL && fd >= 0 &&
	    (n = read(fd, text, FILE_MAX)) > 0 &&
	    json_parse(&j, text, (size_t)n, tok, FILE_MAX / 2, err) == 0) {
		(void)json_str(&j, json_path(&j, 0, member), dst, cap);
		if (dst_other != NULL)
			(void)json_str(&j, json_path(&j, 0, other),
			    dst_other, cap);
	}
	if (fd >= 0)
		(void)close(fd);
	free(tok);
	free(text);
}

static int
docker_dir(char *dst, size_t cap)
{
	const char *dir = getenv("DOCKER_CONFIG"), *home = getenv("HOME");

	if (dir != NULL && *dir != '\0')
		return snprintf(dst, cap, "%s", dir) < (int)cap ? 0 : -1;
	if (home == NULL || *home == '\0')
		return -1;
	return snprintf(dst, cap, "%s/.docker", home) < (int)cap ? 0 : -1;
}

static void
context_name(const char *dir, char *dst, size_t cap)
{
	const char *name = getenv("DOCKER_CONTEXT");
	char path[600];

	if (name != NULL && *name != '\0') {
		(void)snprintf(dst, cap, "%s", name);
		return;
	}
	(void)snprintf(path, sizeof path, "%s/config.json", dir);
	json_file(path, "currentContext", NULL, dst, NULL, cap);
}

/* The address of the current context, "" when that is the default one. Its
 * directory is named by a hash, so all are looked at. */
static void
context_host(char *host, size_t cap)
{
	char dir[512], wanted[256], name[256], path[1024];
	struct dirent *entry;
	DIR *list;
	int n = 0;

	host[0] = '\0';
	if (docker_dir(dir, sizeof dir) < 0)
		return;
	context_name(dir, wanted, sizeof wanted);
	(void)snprintf(path, sizeof path, "%s/contexts/meta", dir);
	if (wanted[0] == '\0' || strcmp(wanted, "default") == 0 ||
	    (list = opendir(path)) == NULL)
		return;
	while ((entry = readdir(list)) != NULL && n++ < CONTEXTS_MAX) {
		if (entry->d_name[0] == '.' || snprintf(path, sizeof path,
		    "%s/contexts/meta/%s/meta.json", dir, entry->d_name) >=
		    (int)sizeof path)
			continue;
		json_file(path, "Name", "Endpoints/docker/Host", name, host,
		    cap < sizeof name ? cap : sizeof name);
		if (strcmp(name, wanted) == 0)
			break;
		host[0] = '\0';
	}
	(void)closedir(list);
}

/* --- looking */

/* 1 somebody listens, 0 there is a socket, -1 there is none. */
static int
look(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, rc;

	if (access(path, F_OK) < 0)
		return -1;
	if (snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path) >=
	    (int)sizeof sun.sun_path ||
	    (fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0)
		return 0;
	(void)os_cloexec(fd);
	(void)os_nonblock(fd);
	rc = connect(fd, (const struct sockaddr *)&sun, sizeof sun);
	/* A full queue is somebody's; a socket of root's may be locked. */
	rc = rc == 0 || errno == EAGAIN || errno == EINPROGRESS;
	(void)close(fd);
	return rc;
}

/* True when the search is over. */
static bool
try_path(struct search *s, const char *path)
{
	int found;

	if (path[0] == '\0' || strlen(path) >= sizeof s->d->socket)
		return false;
	found = look(path);
	buf_printf(&s->tried, "%s%s%s", s->tried.len > 0 ? ", " : "", path,
	    found == 0 ? " (nobody answers)" : "");
	if (found > 0)
		(void)snprintf(s->d->socket, sizeof s->d->socket, "%s", path);
	else if (found == 0 && s->first[0] == '\0')
		(void)snprintf(s->first, sizeof s->first, "%s", path);
	return found > 0;
}

/* An address given by a person is the only one that counts, listened on or
 * not. */
static int
take(struct docker *d, const char *what, const char *address, char *err)
{
	if (strncmp(address, "unix://", 7) == 0)
		address += 7;
	if (address[0] != '/' || strlen(address) >= sizeof d->socket) {
		(void)snprintf(err, DOCKER_ERR_LEN, "%s is %.120s: wanted is "
		    "the path of a UNIX socket, unix:///...", what, address);
		return -1;
	}
	(void)snprintf(d->socket, sizeof d->socket, "%s", address);
	if (access(address, F_OK) == 0)
		return 0;
	(void)snprintf(err, DOCKER_ERR_LEN, "%.180s: %s", address,
	    strerror(errno));
	return -1;
}

static bool
try_usual(struct search *s)
{
	static const struct {
		const char *variable, *tail;
	} places[] = {
		{ "HOME", "/.docker/run/docker.sock" },
		{ "HOME", "/.orbstack/run/docker.sock" },
		{ "HOME", "/.colima/default/docker.sock" },
		{ "XDG_RUNTIME_DIR", "/podman/podman.sock" },
		{ NULL, "/var/run/docker.sock" },
		{ NULL, "/run/podman/podman.sock" },
	};
	const char *base;
	char path[512];
	size_t i;

	for (i = 0; i < nitems(places); i++) {
		base = places[i].variable == NULL ? "" :
		    getenv(places[i].variable);
		if (base == NULL || snprintf(path, sizeof path, "%s%s", base,
		    places[i].tail) >= (int)sizeof path)
			continue;
		if (try_path(s, path))
			return true;
	}
	return false;
}

int
docker_find(struct docker *d, const char *wanted, char *err)
{
	const char *env = getenv("DOCKER_HOST");
	char tried[DOCKER_ERR_LEN - 40], host[256];
	struct search s = { .d = d };

	d->socket[0] = d->api[0] = '\0';
	if (wanted != NULL && *wanted != '\0')
		return take(d, "[docker] socket", wanted, err);
	if (env != NULL && *env != '\0')
		return take(d, "DOCKER_HOST", env, err);
	buf_init(&s.tried, tried, sizeof tried);
	context_host(host, sizeof host);
	if ((strncmp(host, "unix://", 7) == 0 && try_path(&s, host + 7)) ||
	    try_usual(&s))
		return 0;
	if (s.first[0] != '\0') {
		(void)snprintf(d->socket, sizeof d->socket, "%s", s.first);
		return 0;
	}
	(void)snprintf(err, DOCKER_ERR_LEN, "no engine's socket: tried %s",
	    buf_cstr(&s.tried));
	return -1;
}
