/* SPDX-License-Identifier: ISC */
/*
 * The calls of the supervisor into the system, answered by the fake world.
 * Every call that changes something is a deed, before which it can be killed.
 * A function new in os.h gets its plain answer here, too.
 */
#include "libc.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include "log.h"
#include "spawn_child.h"
#include "world.h"

struct w_client w_client;

#define HEADER_SIZE	4096	/* record.c's */

static int
refuse(int e)
{
	errno = e;
	return -1;
}

/* --- descriptors */

int
w_fd_open(enum w_fd_kind kind, int svc)
{
	int i;

	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_NONE) {
			w.fd[i] = (struct w_fd){ .kind = (uint8_t)kind,
			    .svc = (uint8_t)svc, .proc = -1 };
			return W_FD_BASE + i;
		}
	w_blame("no descriptor left: a leak");
	return refuse(EMFILE);
}

struct w_fd *
w_fd_at(int fd)
{
	int i = fd - W_FD_BASE;

	if (i < 0 || i >= W_FDS || w.fd[i].kind == W_NONE) {
		w_blame("descriptor %d is not open", fd);
		return NULL;
	}
	return &w.fd[i];
}

/* run/NAME or run/NAME/FILE: which service. */
static int
service_of(const char *path)
{
	static const char run[] = "/f/run/";
	size_t n;
	int i;

	if (strncmp(path, run, sizeof run - 1) != 0)
		return W_NOBODY;
	path += sizeof run - 1;
	n = strcspn(path, "/");
	for (i = 0; i < W_SERVICES; i++)
		if (strlen(w_conf[i].name) == n &&
		    strncmp(w_conf[i].name, path, n) == 0)
			return i;
	return W_NOBODY;
}

static bool
ends_with(const char *path, const char *end)
{
	size_t n = strlen(path), k = strlen(end);

	return n >= k && strcmp(path + n - k, end) == 0;
}

static bool *
disabled_file(const char *path)
{
	static const char dir[] = "/f/state/disabled/";
	int i;

	for (i = 0; i < W_SERVICES; i++)
		if (strncmp(path, dir, sizeof dir - 1) == 0 &&
		    strcmp(path + sizeof dir - 1, w_conf[i].name) == 0)
			return &w.disabled[i];
	return NULL;
}

int
fake_open(const char *path, int flags, ...)
{
	bool *disabled = disabled_file(path);

	if (disabled != NULL && (flags & O_CREAT)) {
		w_deed();
		*disabled = true;
		return w_fd_open(W_SINK, W_NOBODY);
	}
	if (strcmp(path, "/f/run/table") == 0)
		return w_fd_open(W_TABLE, W_NOBODY);
	if (ends_with(path, "/lock"))
		return w_fd_open(W_LOCK, service_of(path));
	if (ends_with(path, "/log"))
		return w_fd_open(W_SINK, service_of(path));
	return refuse(ENOENT);
}

int
fake_close(int fd)
{
	struct w_fd *f = w_fd_at(fd);

	if (f == NULL)
		return refuse(EBADF);
	if (f->kind == W_GATE) {
		w_deed();
		if (f->proc >= 0)
			w.proc[f->proc].eof = 1;
	}
	f->kind = W_NONE;
	f->watched = 0;
	return 0;
}

int
fake_access(const char *path, int what)
{
	const bool *disabled = disabled_file(path);

	(void)what;
	return disabled != NULL && *disabled ? 0 : refuse(ENOENT);
}

int
fake_unlink(const char *path)
{
	bool *disabled = disabled_file(path);
	int i;

	/* Who holds a lock without a name is in nobody's way. */
	if (ends_with(path, "/lock")) {
		w_deed();
		for (i = 0; i < W_PROCS; i++)
			if (w.proc[i].svc == service_of(path))
				w.proc[i].lock = 0;
	}
	if (disabled == NULL)
		return 0;
	w_deed();
	*disabled = false;
	return 0;
}

int
fake_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	w.last = (uint8_t)service_of(path);
	return refuse(EEXIST);
}

int
fake_mkfifo(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return refuse(EEXIST);
}

int
fake_chmod(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

int
fake_fsync(int fd)
{
	return w_fd_at(fd) != NULL ? 0 : -1;
}

ssize_t
fake_read(int fd, void *dst, size_t n)
{
	(void)dst;
	(void)n;
	w_blame("read of descriptor %d", fd);
	return refuse(EBADF);
}

ssize_t
fake_write(int fd, const void *src, size_t n)
{
	struct w_fd *f = w_fd_at(fd);

	(void)src;
	if (f == NULL)
		return refuse(EBADF);
	if (f->kind == W_GATE && f->proc >= 0) {
		w_deed();
		if (f->hung_up)
			return refuse(EPIPE);
		w.proc[f->proc].byte = 1;
	}
	return (ssize_t)n;
}

ssize_t
fake_recv(int fd, void *dst, size_t n, int flags)
{
	struct gate_word word = { .step = GATE_STEP_LOCK };
	struct w_fd *f = w_fd_at(fd);

	(void)flags;
	if (f == NULL)
		return refuse(EBADF);
	if (f->kind == W_CONN) {
		n = n < w_client.chunk ? n : w_client.chunk;
		n = n < w_client.left ? n : w_client.left;
		memcpy(dst, w_client.says, n);
		w_client.says += n;
		w_client.left -= n;
		return (ssize_t)n;
	}
	if (f->kind == W_NOTIFY && f->msg && n > 8) {
		f->msg = 0;
		memcpy(dst, "READY=1", 7);
		return 7;
	}
	if (f->kind == W_GATE && f->word != 0 && n >= sizeof word) {
		word.error = f->word;
		memcpy(dst, &word, sizeof word);
		f->word = 0;
		return sizeof word;
	}
	return f->kind == W_GATE && f->hung_up ? 0 : refuse(EAGAIN);
}

int
fake_listen(int fd, int backlog)
{
	(void)backlog;
	return w_fd_at(fd) != NULL ? 0 : -1;
}

int
fake_accept(int fd, struct sockaddr *sa, socklen_t *len)
{
	(void)sa;
	(void)len;
	return w_fd_at(fd) != NULL ? w_fd_open(W_CONN, W_NOBODY) : -1;
}

ssize_t
fake_send(int fd, const void *src, size_t n, int flags)
{
	size_t room = sizeof w_client.heard - w_client.nheard;

	(void)flags;
	if (w_fd_at(fd) == NULL)
		return refuse(EBADF);
	if (room == 0)
		return refuse(EAGAIN);
	n = n < room ? n : room;
	memcpy(w_client.heard + w_client.nheard, src, n);
	w_client.nheard += n;
	return (ssize_t)n;
}

int
os_bind_path(const char *path, int type, mode_t mode)
{
	(void)type;
	(void)mode;
	return w_fd_open(W_NOTIFY, service_of(path));
}

int
fake_socket(int domain, int type, int protocol)
{
	(void)domain;
	(void)type;
	(void)protocol;
	return w_fd_open(W_NOTIFY, W_NOBODY);
}

int
fake_bind(int fd, const struct sockaddr *sa, socklen_t len)
{
	struct w_fd *f = w_fd_at(fd);

	(void)len;
	if (f == NULL)
		return refuse(EBADF);
	f->svc = (uint8_t)service_of(
	    ((const struct sockaddr_un *)(const void *)sa)->sun_path);
	return 0;
}

int
fake_flock(int fd, int what)
{
	const struct w_fd *f = w_fd_at(fd);
	int i;

	(void)what;
	for (i = 0; f != NULL && i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && w.proc[i].lock &&
		    w.proc[i].svc == f->svc)
			return refuse(EWOULDBLOCK);
	return 0;
}

/* --- the file of records */

static char *
place(off_t at, size_t n)
{
	off_t k = at - HEADER_SIZE;

	if (at >= 0 && at + (off_t)n <= (off_t)sizeof w.header)
		return w.header + at;
	if (k >= 0 && k % RECORD_SIZE == 0 && n <= sizeof(struct record) &&
	    k / RECORD_SIZE < W_SLOTS * 2)
		return (char *)&w.copy[k / RECORD_SIZE / 2]
		    [k / RECORD_SIZE % 2];
	return NULL;
}

ssize_t
fake_pread(int fd, void *dst, size_t n, off_t at)
{
	const char *p = place(at, n);

	(void)fd;
	if (at + (off_t)n > w.size)
		return 0;
	if (p == NULL)
		memset(dst, 0, n);
	else
		memcpy(dst, p, n);
	return (ssize_t)n;
}

ssize_t
fake_pwrite(int fd, const void *src, size_t n, off_t at)
{
	char *p = place(at, n);
	off_t k = at - HEADER_SIZE;

	if (w_fd_at(fd) == NULL)
		return refuse(EBADF);
	w_deed();
	if (n == 2 * RECORD_SIZE && k / n < W_SLOTS) {	/* table_clear */
		memset(w.copy[k / (off_t)n], 0, sizeof w.copy[0]);
		return (ssize_t)n;
	}
	if (p == NULL) {
		w_blame("write of %zu bytes at %lld", n, (long long)at);
		return refuse(EIO);
	}
	memcpy(p, src, n);
	if (w.size < at + (off_t)n)
		w.size = at + (off_t)n;
	return (ssize_t)n;
}

int
fake_ftruncate(int fd, off_t size)
{
	(void)fd;
	w_deed();
	w.size = size;
	memset(w.copy, 0, sizeof w.copy);
	memset(w.header, 0, sizeof w.header);
	return 0;
}

int
fake_fstat(int fd, struct stat *st)
{
	(void)fd;
	memset(st, 0, sizeof *st);
	st->st_size = w.size;
	return 0;
}

int
os_preallocate(int fd, off_t size)
{
	(void)fd;
	if (w.size < size)
		w.size = size;
	return 0;
}

/* --- processes */

pid_t
fake_fork(void)
{
	struct w_proc *p;
	int i;

	w_deed();
	if ((p = w_new_proc()) == NULL)
		return refuse(EAGAIN);
	p->ours = 1;
	p->kind = K_AUX;
	p->life = P_RUNS;
	p->svc = W_NOBODY;
	for (i = 0; i < W_FDS; i++)
		if (w.fd[i].kind == W_GATE && w.fd[i].proc < 0) {
			w.fd[i].proc = (int8_t)(p - w.proc);
			p->kind = w.fd[i].svc == W_NOBODY ? K_AUX : K_MAIN;
			p->life = p->kind == K_AUX ? P_LOCKED : P_FORKED;
			p->svc = p->kind == K_AUX ? w_with_finish() : w.last;
			if (p->kind == K_MAIN)
				w.finished[p->svc] = false;
		}
	return p->pid;
}

pid_t
fake_waitpid(pid_t pid, int *status, int flags)
{
	bool any = false;
	int i;

	(void)pid;
	(void)flags;
	for (i = 0; i < W_PROCS; i++) {
		if (w.proc[i].life == P_ZOMBIE && w.proc[i].ours) {
			w_deed();
			*status = w.proc[i].status;
			w.proc[i].life = P_NONE;
			return w.proc[i].pid;
		}
		any |= w.proc[i].life != P_NONE && w.proc[i].ours;
	}
	return any ? 0 : refuse(ECHILD);
}

static void
signal_one(struct w_proc *p, int signo)
{
	if (signo == 0 || p->life == P_ZOMBIE)
		return;
	if (p->kind == K_FOREIGN)
		w_blame("signal %d to a stranger, pid %d", signo, p->pid);
	else if (signo == SIGKILL)
		w_die(p, SIGKILL);
	else if (signo == SIGTERM && p->life == P_RUNS)
		p->term = 1;
	else if (signo == SIGTERM)
		w_die(p, SIGTERM);
}

int
fake_kill(pid_t pid, int signo)
{
	bool any = false;
	int i;

	if (signo != 0)
		w_deed();
	if (pid == 0 || pid == -1)
		w_blame("kill(%d, %d)", (int)pid, signo);
	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && (pid > 0 ?
		    w.proc[i].pid == pid : w.proc[i].pgid == -pid)) {
			any = true;
			signal_one(&w.proc[i], signo);
		}
	if (any)
		return 0;
	if (pid > 0 && signo != 0)
		w_blame("signal %d to pid %d, which is free", signo,
		    (int)pid);
	return refuse(ESRCH);
}

pid_t
fake_getsid(pid_t pid)
{
	return pid;
}

pid_t
fake_getpgid(pid_t pid)
{
	const struct w_proc *p = w_find((int)pid);

	return p != NULL ? p->pgid : refuse(ESRCH);
}

int
os_proc_start(pid_t pid, uint64_t *start)
{
	const struct w_proc *p = w_find((int)pid);

	if (p == NULL || p->life == P_ZOMBIE)
		return refuse(ESRCH);
	*start = p->start;
	return 0;
}

int64_t
os_start_clock(void)
{
	return 0;
}

int
os_child_start(pid_t pid, int64_t before, uint64_t *start)
{
	(void)before;
	return os_proc_start(pid, start);
}

int
os_proc_name(pid_t pid, char *name, size_t cap, uid_t *uid)
{
	(void)uid;
	(void)snprintf(name, cap, "fake%d", (int)pid);
	return 0;
}

pid_t
os_group_member(pid_t pgid, pid_t skip)
{
	int i;

	for (i = 0; i < W_PROCS; i++)
		if (w.proc[i].life != P_NONE && w.proc[i].life != P_ZOMBIE &&
		    w.proc[i].pgid == pgid && w.proc[i].pid != skip)
			return w.proc[i].pid;
	return 0;
}

pid_t
os_lock_holder(int fd, const char *path)
{
	const struct w_fd *f = w_fd_at(fd);
	pid_t any = 0;
	int i;

	(void)path;
	for (i = 0; f != NULL && i < W_PROCS; i++) {
		const struct w_proc *p = &w.proc[i];

		if (p->life == P_NONE || p->life == P_ZOMBIE || !p->lock ||
		    p->svc != f->svc)
			continue;
		if (p->kind == K_MAIN)
			return p->pid;
		any = p->pid;
	}
	return any;
}

int
os_watch_proc(pid_t pid, uint64_t start, uint32_t tag)
{
	const struct w_proc *p = w_find((int)pid);
	struct w_fd *f;
	int fd;

	if (p == NULL || p->life == P_ZOMBIE || p->start != start)
		return refuse(ESRCH);
	if ((fd = w_fd_open(W_PROC, p->svc)) < 0)
		return -1;
	f = w_fd_at(fd);
	f->proc = (int8_t)(p - w.proc);
	f->watched = 1;
	f->tag = tag;
	f->start = p->start;
	return fd;
}

void
os_unwatch_proc(int handle)
{
	if (handle >= 0)
		(void)fake_close(handle);
}

int
os_kill(pid_t pid, uint64_t start, int handle, int signo)
{
	struct w_fd *f = handle >= 0 ? w_fd_at(handle) : NULL;
	struct w_proc *p = w_find((int)pid);

	w_deed();
	if (f != NULL) {
		if (f->proc < 0)
			return refuse(ESRCH);
		p = &w.proc[f->proc];
	}
	if (p == NULL || p->life == P_ZOMBIE || p->start != start)
		return refuse(ESRCH);
	signal_one(p, signo);
	return 0;
}

/* --- clocks and the rest */

int64_t os_now_ms(void) { return w.now_ms; }
int64_t os_awake_ms(void) { return w.now_ms; }
int64_t os_wall_us(void) { return w.now_ms * 1000; }
uint32_t os_dice(void) { return 500; }
int os_cloexec(int fd) { return w_fd_at(fd) != NULL ? 0 : -1; }
void os_widen(int fd) { (void)fd; }
int os_nonblock(int fd) { return w_fd_at(fd) != NULL ? 0 : -1; }
void os_reset_signals(void) { }

void
os_drop(int *fd)
{
	if (*fd >= 0)
		(void)fake_close(*fd);
	*fd = -1;
}

/* The child's side of a start: never reached, the world's fork returns once.
 */
void
spawn_child(const struct service *sv, int gate, int ready_fd)
{
	(void)sv;
	(void)gate;
	(void)ready_fd;
	abort();
}

void
spawn_child_aux(const struct service *sv, char *const arg[], int in, int gate)
{
	(void)gate;
	(void)sv;
	(void)arg;
	(void)in;
	abort();
}

int
os_boot_id(char id[OS_BOOT_LEN])
{
	(void)snprintf(id, OS_BOOT_LEN, "this boot");
	return 0;
}

/* The gate of finish, which nobody else makes. */
int
os_pipe(int fd[2])
{
	fd[1] = w_fd_open(W_GATE, W_NOBODY);
	fd[0] = w_fd_open(W_GATE_CHILD, W_NOBODY);
	return fd[0] < 0 || fd[1] < 0 ? -1 : 0;
}

int
os_socketpair(int fd[2])
{
	fd[0] = w_fd_open(W_GATE, w.last);
	fd[1] = w_fd_open(W_GATE_CHILD, w.last);
	return fd[0] < 0 || fd[1] < 0 ? -1 : 0;
}

int
os_alarm(void)
{
	return w_fd_open(W_SINK, W_NOBODY);
}

int
os_alarm_at(int fd, int64_t awake_ms)
{
	(void)awake_ms;
	return w_fd_at(fd) != NULL ? 0 : -1;
}

int
os_fd_of(pid_t pid, uint64_t start, int fd)
{
	(void)pid;
	(void)start;
	(void)fd;
	return refuse(ENOSYS);
}

pid_t
os_port_holder(uint16_t port, uid_t *uid)
{
	(void)port;
	(void)uid;
	return 0;
}

int
os_watch_dir(const char *path, uint32_t tag)
{
	(void)path;
	(void)tag;
	return w_fd_open(W_SINK, W_NOBODY);
}

int
os_watch(int fd, unsigned what, uint32_t tag)
{
	struct w_fd *f = w_fd_at(fd);

	if (f == NULL)
		return refuse(EBADF);
	f->watched = what != 0;
	f->tag = tag;
	return 0;
}

bool
os_peer_in_group(int fd, gid_t gid)
{
	(void)fd;
	(void)gid;
	return true;
}

int
os_peer(int fd, uid_t *uid, gid_t *gid, pid_t *pid)
{
	(void)fd;
	*uid = 0;
	*gid = 0;
	*pid = 0;
	return 0;
}

int
fake_conf_load(struct conf_tree *t, const char *dir, conf_report *report,
    void *arg)
{
	int i;

	(void)dir;
	(void)report;
	(void)arg;
	memset(t, 0, sizeof *t);
	t->service = w_conf;
	for (i = 0; i < W_LOGGER && w.there[i]; i++)
		t->n++;
	return 0;
}

void
fake_conf_free(struct conf_tree *t)
{
	(void)t;
}

/* --- what the supervisor says */

void
log_warnx(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (strstr(line, "bug:") != NULL)
		w_blame("%.150s", line);
}

void
log_warn(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	w_blame("trouble: %.120s", line);
}

void
log_info(const char *fmt, ...)
{
	(void)fmt;
}
