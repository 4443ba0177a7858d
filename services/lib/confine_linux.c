/* SPDX-License-Identifier: ISC */
/*
 * Linux: no new privileges, a filter of system calls, Landlock. The filter
 * denies a list: what administers the machine, looks into other processes or
 * makes name spaces, and a few doors that exploits of the kernel like. All
 * else works, for libraries change what they call.
 */
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "confine.h"
#include "log.h"

#if defined(__x86_64__)
#define ARCH	AUDIT_ARCH_X86_64
#define NR_END	0x40000000	/* from here on the calls of x32 */
#elif defined(__aarch64__)
#define ARCH	AUDIT_ARCH_AARCH64
#define NR_END	0x40000000
#else
#define ARCH	0		/* no filter */
#define NR_END	0
#endif

static const int denied[] = {
#ifndef __SANITIZE_ADDRESS__	/* LeakSanitizer looks with it */
	SYS_ptrace,
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
	SYS_perf_event_open, SYS_bpf, SYS_userfaultfd,
	SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_swapon,
	SYS_swapoff, SYS_quotactl, SYS_acct, SYS_unshare, SYS_setns,
	SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_kexec_load, SYS_reboot, SYS_sethostname, SYS_setdomainname,
	SYS_settimeofday, SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex,
	SYS_add_key, SYS_request_key, SYS_keyctl, SYS_open_by_handle_at,
	SYS_personality,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_open_tree
	SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	(uint32_t)offsetof(struct seccomp_data, field))
#define IF_EQUAL(k, skip_else) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), 0, skip_else)
#define GIVE(e)	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (e))
#define ALLOW	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* 0 or -1. */
static int
filter_calls(void)
{
	/* The low half of clone's flags: both systems are little-endian. */
	const struct sock_filter head[] = {
		LOAD(arch), IF_EQUAL(ARCH, 2), LOAD(nr),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, NR_END, 0, 1),
		GIVE(EPERM),
	}, tail[] = {
		/* Its flags lie in memory: libraries fall back on clone. */
		IF_EQUAL(435, 1), GIVE(ENOSYS),
		IF_EQUAL(SYS_clone, 3), LOAD(args[0]),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
		GIVE(EPERM), ALLOW,
	};
	struct sock_filter f[nitems(head) + 2 * nitems(denied) +
	    nitems(tail)];
	struct sock_fprog program = { .filter = f };
	size_t n = nitems(head), i;

	if (ARCH == 0) {
		errno = ENOSYS;
		return -1;
	}
	memcpy(f, head, sizeof head);
	for (i = 0; i < nitems(denied); i++) {
		f[n++] = (struct sock_filter)IF_EQUAL(denied[i], 1);
		f[n++] = (struct sock_filter)GIVE(EPERM);
	}
	memcpy(f + n, tail, sizeof tail);
	program.len = (unsigned short)(n + nitems(tail));
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Landlock's interface, of which headers may be older than the kernel. */
#define CREATE_RULESET	444
#define ADD_RULE	445
#define RESTRICT_SELF	446
#define RULE_PATH	1
#define RULE_PORT	2
#define FS_WRITE	(1u << 1)
#define FS_CHANGE	0x1ff0u	/* remove and make, whatever kind */
#define FS_DEVICES	(1u << 6 | 1u << 11)
#define FS_REFER	(1u << 13)
#define FS_TRUNCATE	(1u << 14)
#define NET_BIND	1u
#define NET_CONNECT	2u
#define SCOPE_ABSTRACT	1u	/* sockets without a file */
#define SCOPE_SIGNAL	2u	/* to whom we have not begun */

struct ruleset {
	uint64_t fs, net, scoped;
};
struct path_rule {
	uint64_t allowed;
	int32_t	 fd;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed, port;
};

static int
allow(int rules, const char *path, uint64_t what)
{
	struct path_rule rule = { what, open(path, O_RDONLY | O_CLOEXEC) };
	int rc;

	if (rule.fd < 0)
		return -1;
	rc = (int)syscall(ADD_RULE, rules, RULE_PATH, &rule, 0);
	(void)close(rule.fd);
	return rc;
}

/* What a version knows, and this program does not need. */
static struct ruleset
what_goes(const struct confine *c, int version)
{
	struct ruleset set = { 0, 0, 0 };

	if (c->may_write)
		/* A rule set denies files to change their directory, too. */
		set.fs = version > 1 ? FS_DEVICES | FS_REFER : 0;
	else
		set.fs = FS_WRITE | FS_CHANGE | (version > 1 ? FS_REFER : 0) |
		    (version > 2 ? FS_TRUNCATE : 0);
	if (c->port != 0 && version > 3)
		set.net = NET_BIND | NET_CONNECT;
	if (!c->may_write && version > 5)
		set.scoped = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return set;
}

static size_t
size_for(int version)
{
	return version > 5 ? sizeof(struct ruleset) : version > 3 ?
	    offsetof(struct ruleset, scoped) : offsetof(struct ruleset, net);
}

/* What is in force; all zero when there is none. */
static struct ruleset
lock_land(const struct confine *c)
{
	struct port_rule port = { NET_BIND, c->port };
	int version = (int)syscall(CREATE_RULESET, NULL, 0, 1), fd, rc;
	const struct ruleset none = { 0, 0, 0 };
	struct ruleset set;

	if (version < 1 || c->looks)
		return none;
	set = what_goes(c, version);
	fd = (int)syscall(CREATE_RULESET, &set, size_for(version), 0);
	if (fd < 0)
		return none;
	/* Programs that are run from here have /dev/null as their output. */
	if (c->may_write)
		rc = allow(fd, "/", FS_REFER);
	else
		rc = allow(fd, "/dev/null", FS_WRITE);
	if (rc == 0 && set.net != 0)
		rc = (int)syscall(ADD_RULE, fd, RULE_PORT, &port, 0);
	if (rc == 0)
		rc = (int)syscall(RESTRICT_SELF, fd, 0);
	(void)close(fd);
	return rc == 0 ? set : none;
}

static void
tell(const struct confine *c, const struct ruleset *set, bool filtered)
{
	if (c->quiet && filtered)
		return;
	if (c->looks)
		log_info("without Landlock, which would hide who holds a "
		    "port: files and ports are as the user's");
	else if (set->fs == 0)
		log_info("Landlock is not offered by this kernel: files and "
		    "ports are as the user's");
	else if (c->port != 0 && set->net == 0)
		log_info("Landlock of this kernel knows files, and no ports");
	log_info("confined: no new privileges%s%s%s%s%s",
	    filtered ? ", no administration" : "",
	    (set->fs & FS_WRITE) != 0 ? ", no writing" : "",
	    c->may_write && set->fs != 0 ? ", no devices" : "",
	    set->net != 0 ? ", no connecting" : "",
	    set->scoped != 0 ? ", no signals" : "");
}

void
confine_self(const struct confine *c)
{
	struct ruleset set;
	bool filtered;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_warn("not confined: give up new privileges");
		return;
	}
	set = lock_land(c);
	filtered = filter_calls() == 0;
	if (!filtered)
		log_info("no filter of system calls here: %s",
		    strerror(errno));
	tell(c, &set, filtered);
}

/* A program that collects core files is not held by the limit: there the
 * filter leaves none of the memory in. */
void
confine_core(void)
{
	int fd = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC);

	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	if (fd < 0)
		return;
	if (write(fd, "0", 1) < 0)
		log_warn("keep memory out of core files");
	(void)close(fd);
}
