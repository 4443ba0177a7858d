/* SPDX-License-Identifier: ISC */
/*
 * macOS: pages from Mach, swap and the kernel's own verdict from sysctl. The
 * verdict is no promised interface: a value not known here is "unknown".
 */
#include <sys/types.h>
#include <sys/sysctl.h>

#include <mach/mach.h>

#include <errno.h>
#include <unistd.h>

#include "osmem.h"

static int
read_pages(struct mem_sample *m)
{
	mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;
	vm_statistics64_data_t vm;
	mach_port_t host = mach_host_self();
	kern_return_t rc;
	int64_t page = sysconf(_SC_PAGESIZE);
	uint64_t total = 0;
	size_t len = sizeof total;

	rc = host_statistics64(host, HOST_VM_INFO64, (host_info64_t)&vm, &n);
	(void)mach_port_deallocate(mach_task_self(), host);
	if (rc != KERN_SUCCESS) {
		errno = EIO;
		return -1;
	}
	if (sysctlbyname("hw.memsize", &total, &len, NULL, 0) < 0)
		return -1;
	/* As Activity Monitor counts: used is what programs own, what is
	 * wired and what is compressed; files in memory can be dropped. */
	m->total = (int64_t)total;
	m->available = m->total - page * ((int64_t)vm.internal_page_count -
	    (int64_t)vm.purgeable_count + (int64_t)vm.wire_count +
	    (int64_t)vm.compressor_page_count);
	if (m->available < 0)
		m->available = 0;
	return 0;
}

static int
read_verdict(void)
{
	int level = 0;
	size_t len = sizeof level;

	if (sysctlbyname("kern.memorystatus_vm_pressure_level", &level, &len,
	    NULL, 0) < 0)
		return MEM_UNKNOWN;
	if (level == MEM_NORMAL || level == MEM_WARN || level == MEM_CRITICAL)
		return level;
	return MEM_UNKNOWN;
}

int
osmem_sample(const char *proc, struct mem_sample *m)
{
	struct xsw_usage swap;
	size_t len = sizeof swap;

	(void)proc;
	*m = (struct mem_sample){ .stall_percent = -1 };
	if (read_pages(m) < 0)
		return -1;
	if (sysctlbyname("vm.swapusage", &swap, &len, NULL, 0) == 0) {
		m->swap_total = (int64_t)swap.xsu_total;
		m->swap_used = (int64_t)swap.xsu_used;
	}
	m->verdict = read_verdict();
	return 0;
}
