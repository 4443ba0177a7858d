/* SPDX-License-Identifier: ISC */
/* What a confined program still can, and what nobody can through it. Each
 * test is a process of its own, as Criterion has it. */
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "confine.h"

extern char **environ;

static bool
has_landlock(long least)
{
	return syscall(444, NULL, 0, 1) >= least;
}

static int
run(const char *path)
{
	char *argv[] = { (char *)path, NULL };
	int status = -1;
	pid_t pid;

	if (posix_spawn(&pid, path, NULL, NULL, argv, environ) != 0 ||
	    waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void *
nothing(void *arg)
{
	return arg;
}

Test(confine, administration_is_refused_and_programs_run)
{
	const struct confine c = { .may_write = true };
	pthread_t thread;

	confine_self(&c);
	cr_assert_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
	cr_assert_eq(prctl(PR_GET_SECCOMP), 2);
	cr_assert_eq(unshare(CLONE_NEWUSER), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(mount("none", "/tmp", "tmpfs", 0, NULL), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(chroot("/"), -1);
	cr_assert_eq(errno, EPERM);
	cr_assert_eq(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0),
	    -1);
	cr_assert_eq(errno, EPERM);
#ifndef __SANITIZE_ADDRESS__
	cr_assert_eq(ptrace(PTRACE_TRACEME, 0, NULL, NULL), -1);
	cr_assert_eq(errno, EPERM);
#endif
	cr_assert_eq(run("/bin/true"), 0);
	cr_assert_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
	cr_assert_eq(pthread_join(thread, NULL), 0);
}

Test(confine, who_may_write_writes)
{
	const struct confine c = { .may_write = true };
	char path[] = "/tmp/confine.XXXXXX";
	int fd;

	confine_self(&c);
	cr_assert_geq((fd = mkstemp(path)), 0);
	(void)close(fd);
	cr_assert_eq(unlink(path), 0);
}

Test(confine, who_may_write_makes_no_device_and_moves_files)
{
	const struct confine c = { .may_write = true };
	char dir[] = "/tmp/confine.XXXXXX", file[64], sub[64], moved[80];

	if (!has_landlock(2))
		cr_skip("no Landlock here");
	cr_assert_neq(mkdtemp(dir), NULL);
	(void)snprintf(file, sizeof file, "%s/file", dir);
	(void)snprintf(sub, sizeof sub, "%s/sub", dir);
	(void)snprintf(moved, sizeof moved, "%s/moved", sub);
	confine_self(&c);
	cr_assert_eq(mknod(file, S_IFCHR | 0600, makedev(1, 3)), -1);
	cr_expect(errno == EACCES || errno == EPERM);
	cr_assert_eq(mkfifo(file, 0600), 0);
	cr_assert_eq(mkdir(sub, 0700), 0);
	cr_expect_eq(rename(file, moved), 0, "to another directory");
	cr_expect_eq(unlink(moved), 0);
	cr_expect_eq(rmdir(sub), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(confine, who_may_not_write_signals_its_children_alone)
{
	const struct confine c = { .may_write = false };
	pid_t other = fork(), own;
	int status;

	if (other == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	cr_assert_gt(other, 0);
	if (!has_landlock(6)) {
		(void)kill(other, SIGKILL);
		cr_skip("no Landlock for signals here");
	}
	confine_self(&c);
	cr_expect_eq(kill(other, SIGTERM), -1);
	cr_expect_eq(errno, EPERM);
	if ((own = fork()) == 0)
		for (;;)
			(void)pause();
	cr_expect_eq(kill(own, SIGKILL), 0);
	cr_expect_eq(waitpid(own, &status, 0), own);
	/* Nobody here may end it: the end of this process does. */
}

Test(confine, who_looks_sees_the_descriptors_of_others)
{
	const struct confine c = { .looks = true };
	pid_t other = fork();
	char path[64];

	if (other == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	cr_assert_gt(other, 0);
	(void)snprintf(path, sizeof path, "/proc/%d/fd/0", (int)other);
	confine_self(&c);
	cr_expect_eq(prctl(PR_GET_SECCOMP), 2);
	cr_expect_eq(access(path, R_OK), 0);
	cr_expect_eq(kill(other, SIGKILL), 0);
}

Test(confine, no_core_file_holds_memory)
{
	struct rlimit limit;
	char text[16] = "";
	int fd;

	confine_core();
	cr_assert_eq(getrlimit(RLIMIT_CORE, &limit), 0);
	cr_expect_eq(limit.rlim_cur, 0);
	cr_expect_eq(limit.rlim_max, 0);
	fd = open("/proc/self/coredump_filter", O_RDONLY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_gt(read(fd, text, sizeof text - 1), 0);
	cr_expect_eq(strtoul(text, NULL, 16), 0, "%s", text);
}

Test(confine, who_may_not_write_reads_and_changes_nothing)
{
	const struct confine c = { .may_write = false };
	char dir[] = "/tmp/confine.XXXXXX", path[64], other[64];
	int fd;

	if (!has_landlock(3))
		cr_skip("no Landlock here");
	cr_assert_neq(mkdtemp(dir), NULL);
	(void)snprintf(path, sizeof path, "%s/file", dir);
	(void)snprintf(other, sizeof other, "%s/other", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	confine_self(&c);
	/* What is open stays open. */
	cr_expect_eq(write(fd, "x", 1), 1);
	cr_expect_eq(open(path, O_WRONLY), -1);
	cr_expect_eq(errno, EACCES);
	cr_expect_eq(open(other, O_WRONLY | O_CREAT, 0600), -1);
	cr_expect_eq(truncate(path, 0), -1);
	cr_expect_eq(unlink(path), -1);
	cr_expect_eq(rename(path, other), -1);
	cr_expect_eq(mkdir(other, 0700), -1);
	cr_expect_eq(symlink("x", other), -1);
	cr_expect_geq(open(path, O_RDONLY), 0);
	cr_expect_geq(open("/dev/null", O_WRONLY), 0);
	cr_expect_eq(run("/bin/true"), 0);
}

static int
tcp(uint16_t port, bool listens)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
	    .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), rc;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	rc = listens ? bind(fd, (struct sockaddr *)&sin, sizeof sin) :
	    connect(fd, (struct sockaddr *)&sin, sizeof sin);
	if (rc == 0)
		return fd;
	(void)close(fd);
	return -1;
}

Test(confine, who_has_a_port_listens_there_and_connects_nowhere)
{
	struct confine c = { .may_write = false };
	struct sockaddr_in sin;
	socklen_t len = sizeof sin;
	int server, theirs;

	if (!has_landlock(4))
		cr_skip("no Landlock for ports here");
	cr_assert_geq((theirs = tcp(0, true)), 0);
	cr_assert_eq(listen(theirs, 1), 0);
	cr_assert_geq((server = tcp(0, true)), 0);
	cr_assert_eq(getsockname(server, (struct sockaddr *)&sin, &len), 0);
	(void)close(server);
	c.port = ntohs(sin.sin_port);
	cr_assert_eq(getsockname(theirs, (struct sockaddr *)&sin, &len), 0);
	confine_self(&c);
	cr_expect_eq(tcp(ntohs(sin.sin_port), false), -1);
	cr_expect_eq(errno, EACCES);
	cr_expect_eq(tcp(0, true), -1);
	cr_expect_eq(errno, EACCES);
	cr_expect_geq(tcp(c.port, true), 0);
}
