/* SPDX-License-Identifier: ISC */
/*
 * The lock of a service, run/NAME/lock, and who holds it when no record says
 * so. The lock itself is taken by the child (spawn_child.c).
 */
#include <sys/file.h>

#include <fcntl.h>
#include <unistd.h>

#include "os.h"
#include "service.h"

static int
open_lock(const struct service *sv, char *path, size_t cap)
{
	service_path(sv, "lock", path, cap);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool
spawn_lock_is_free(const struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	int fd = open_lock(sv, path, sizeof path);
	bool free_now;

	if (fd < 0)
		return true;
	free_now = flock(fd, LOCK_EX | LOCK_NB) == 0;
	(void)close(fd);
	return free_now;
}

static pid_t
holder_of(const struct service *sv, uint64_t *start)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	pid_t pid;
	int fd;

	if ((fd = open_lock(sv, path, sizeof path)) < 0)
		return 0;
	pid = os_lock_holder(fd, path);
	(void)close(fd);
	return pid > 1 && os_proc_start(pid, start) == 0 ? pid : 0;
}

/* Who holds the lock, seen twice: a child of a dead supervisor that is about
 * to give up is gone by then. 0: nobody yet. */
static pid_t
find_holder(struct service *sv, uint64_t *start)
{
	pid_t pid = holder_of(sv, start), last = sv->holder;

	if (pid > 0)
		sv->holder = pid;
	return pid == last ? pid : 0;
}

bool
spawn_let_be(const struct service *sv)
{
	char path[TREE_PATH_MAX + CONF_NAME_MAX + 16];
	pid_t pid, leader;
	uint64_t start;

	if (sv->conf->kill != KILL_LEADER || spawn_lock_is_free(sv) ||
	    (pid = holder_of(sv, &start)) == 0 ||
	    (leader = getpgid(pid)) <= 1 ||
	    os_proc_start(leader, &start) == 0)
		return false;
	service_path(sv, "lock", path, sizeof path);
	return unlink(path) == 0;
}

/* UNKNOWN: the holder of the lock is the service, whoever started it, or
 * what its dead leader left behind. */
void
spawn_seek(struct service *sv)
{
	struct record *r = &sv->rec;
	uint64_t start;
	pid_t pid;

	r->deadline_ms = os_now_ms() + 500;
	pid = find_holder(sv, &start);
	if (spawn_lock_is_free(sv) || (pid > 0 && spawn_let_be(sv))) {
		sv->holder = 0;
		r->clean = 1;
		/* Whoever held it, ours has yet to run. */
		r->again = r->want != WANT_DOWN ? AGAIN_ASKED : AGAIN_NO;
		service_event(sv, EV_CLEARED, NULL);
		return;
	}
	if (pid == 0)
		return;
	sv->watch = os_watch_proc(pid, start, TAG(TAG_PROC, sv->slot));
	if (sv->watch < 0)
		return;
	sv->is_child = false;
	sv->start_errno = 0;
	r->pid = (int32_t)pid;
	r->start = start;
	r->adopted = 1;
	r->ready_ms = os_now_ms();
	service_event(sv, EV_FOUND, "found running, holding the lock");
	if (getpgid(pid) != pid && getpgid(pid) > 1) {
		r->pid = (int32_t)getpgid(pid);
		service_exited(sv, -1);
	} else if (r->want == WANT_DOWN) {
		service_event(sv, EV_DOWN, NULL);
	}
}
