/* SPDX-License-Identifier: ISC */
/*
 * Linux: no new privileges, a filter of system calls, Landlock. The filter
 * denies a list: what administers the machine, looks into other processes or
 * makes name spaces, and a few doors that exploits of the kernel like. All
 * else works, for libraries change what they call.
 */
#include <sys/prctl.h>
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
#define FS_REFER	(1u << 13)
#define FS_TRUNCATE	(1u << 14)
#define NET_BIND	1u
#define NET_CONNECT	2u

struct ruleset {
	uint64_t fs, net;
};
struct path_rule {
	uint64_t allowed;
	int32_t	 fd;
} __attribute__((packed));
struct port_rule {
	uint64_t allowed, port;
};

/* Programs that are run from here have it as standard output, or error. */
static int
allow_null(int rules)
{
	struct path_rule rule = { FS_WRITE,
	    open("/dev/null", O_RDONLY | O_CLOEXEC) };
	int rc;

	if (rule.fd < 0)
		return -1;
	rc = (int)syscall(ADD_RULE, rules, RULE_PATH, &rule, 0);
	(void)close(rule.fd);
	return rc;
}

/* The version of Landlock that is at work, 0 when there is none. */
static int
lock_land(const struct confine *c)
{
	struct port_rule port = { NET_BIND, c->port };
	int version = (int)syscall(CREATE_RULESET, NULL, 0, 1), fd, rc;
	struct ruleset set = { 0, 0 };

	if (version < 1)
		return 0;
	if (!c->may_write)
		set.fs = FS_WRITE | FS_CHANGE | (version > 1 ? FS_REFER : 0) |
		    (version > 2 ? FS_TRUNCATE : 0);
	if (c->port != 0 && version > 3)
		set.net = NET_BIND | NET_CONNECT;
	fd = (int)syscall(CREATE_RULESET, &set, version > 3 ? sizeof set :
	    sizeof set.fs, 0);
	if (fd < 0)
		return 0;
	rc = (set.fs != 0 && allow_null(fd) < 0) || (set.net != 0 &&
	    syscall(ADD_RULE, fd, RULE_PORT, &port, 0) < 0) ||
	    syscall(RESTRICT_SELF, fd, 0) < 0 ? 0 : version;
	(void)close(fd);
	return rc;
}

void
confine_self(const struct confine *c)
{
	bool wants_land = !c->may_write || c->port != 0, filtered;
	int land = 0;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
		log_warn("not confined: give up new privileges");
		return;
	}
	if (wants_land && (land = lock_land(c)) == 0)
		log_info("Landlock is not offered by this kernel: files and "
		    "ports are as the user's");
	else if (c->port != 0 && land < 4)
		log_info("Landlock of this kernel knows files, and no ports");
	filtered = filter_calls() == 0;
	if (!filtered)
		log_info("no filter of system calls here: %s",
		    strerror(errno));
	log_info("confined: no new privileges%s%s", filtered ?
	    ", no administration" : "", land == 0 ? "" : land < 4 ||
	    c->port == 0 ? ", no writing" : ", no writing, no connecting");
}
