/* SPDX-License-Identifier: MIT */
#include "lib/sandbox_calls.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "lib/log.h"

#define NAME_SIZE 64

/* LeakSanitizer looks at the process at its end, through a tracer that it clones. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(leak_sanitizer)
#define TRACES_ITSELF true
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define TRACES_ITSELF true
#endif
#ifndef TRACES_ITSELF
#define TRACES_ITSELF false
#endif

/* By what they serve. Each architecture has some of the spellings. */
static const char common[] =
    /* files and descriptors */
    "read readv write writev pread64 pwrite64 lseek close dup dup2 dup3 fcntl open openat access "
    "faccessat faccessat2 stat lstat fstat newfstatat statx readlink readlinkat getcwd getdents64 "
    "unlink unlinkat pipe pipe2 "
    /* the loop */
    "epoll_create1 epoll_ctl epoll_wait epoll_pwait eventfd2 timerfd_create timerfd_settime poll "
    "ppoll select pselect6 "
    /* sockets */
    "accept accept4 connect sendto sendmsg sendmmsg recvfrom recvmsg shutdown getsockname "
    "getpeername getsockopt setsockopt "
    /* memory */
    "brk mmap munmap mremap mprotect madvise membarrier "
    /* signals, and aborting */
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait sigaltstack restart_syscall tgkill "
    "gettid getpid getppid exit exit_group "
    /* time */
    "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time "
    /* libc */
    "futex rseq set_robust_list sched_yield sched_getaffinity getcpu getrandom getuid geteuid "
    "getgid getegid uname sysinfo getrlimit getrusage";

static const char tracer[] = "ptrace process_vm_readv wait4 prctl getdents";

/* Calls that are looked into. Several of one name: any of them. */
struct limited {
	const char *name;
	struct scmp_arg_cmp argument;
};

#define NAMESPACES                                                                     \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	    CLONE_NEWPID | CLONE_NEWNET)
#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

static const struct limited limited[] = {
    {"socket", {0, SCMP_CMP_EQ, AF_UNIX, 0}},
    {"ioctl", {1, SCMP_CMP_EQ, TCGETS, 0}}, /* isatty(3); others make a terminal type for us */
    {"ioctl", {1, SCMP_CMP_EQ, FIONBIO, 0}}, {"ioctl", {1, SCMP_CMP_EQ, FIONREAD, 0}},
    {"ioctl", {1, SCMP_CMP_EQ, SIOCOUTQ, 0}},
    {"prlimit64", {0, SCMP_CMP_EQ, 0, 0}}, /* its own limits, nobody else's */
};

static const struct limited internet[] = {
    {"socket", {0, SCMP_CMP_EQ, AF_INET, 0}},
    {"socket", {0, SCMP_CMP_EQ, AF_INET6, 0}},
    {"socket", {0, SCMP_CMP_EQ, AF_NETLINK, 0}},
};

static const struct limited threads[] = {
    {"clone", {CLONE_FLAGS, SCMP_CMP_MASKED_EQ, NAMESPACES, 0}},
};

static int
allow(scmp_filter_ctx filter, const char *name, unsigned count, const struct scmp_arg_cmp *argument)
{
	int call = seccomp_syscall_resolve_name(name), result;

	if (call == __NR_SCMP_ERROR) {
		log_debug("sandbox: libseccomp does not know %s", name);
		return 0;
	}
	result = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, count, argument);
	return result == -EEXIST ? 0 : result;
}

static int
allow_all(scmp_filter_ctx filter, const char *names)
{
	char name[NAME_SIZE];
	size_t length;
	int result = 0;

	for (; result == 0 && (length = strcspn(names, " ")) > 0; names += strspn(names, " ")) {
		snprintf(name, sizeof(name), "%.*s", (int)length, names);
		result = allow(filter, name, 0, NULL);
		names += length;
	}
	return result;
}

static int
allow_limited(scmp_filter_ctx filter, const struct limited *calls, size_t count)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < count; i++)
		result = allow(filter, calls[i].name, 1, &calls[i].argument);
	return result;
}

static int
fill(scmp_filter_ctx filter, const struct sandbox *sandbox)
{
	int result;

	/* Calls of another architecture (32 bits, x32) are none of ours. */
	if ((result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS))) <
		0 ||
	    (result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) < 0)
		return result;
	/* Older kernels and other libraries cannot; the filter serves without. */
	(void)!seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	if ((result = allow_all(filter, common)) < 0 ||
	    (sandbox->calls != NULL && (result = allow_all(filter, sandbox->calls)) < 0) ||
	    (result = allow_limited(filter, limited, ARRAY_SIZE(limited))) < 0)
		return result;
	if (sandbox->internet &&
	    (result = allow_limited(filter, internet, ARRAY_SIZE(internet))) < 0)
		return result;
	if ((sandbox->threads || TRACES_ITSELF) &&
	    (result = allow_limited(filter, threads, ARRAY_SIZE(threads))) < 0)
		return result;
	return TRACES_ITSELF ? allow_all(filter, tracer) : 0;
}

int
sandbox_calls(const struct sandbox *sandbox)
{
	scmp_filter_ctx filter;
	int result, saved;

	if (sizeof(long) < sizeof(int64_t)) {
		errno = ENOSYS;
		return -1;
	}
	filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	if (filter == NULL) {
		errno = ENOMEM;
		return -1;
	}
	result = fill(filter, sandbox);
	errno = -result;
	/* The library has codes of its own; what the kernel said is in errno. */
	if (result == 0)
		result = seccomp_load(filter);
	saved = errno;
	seccomp_release(filter);
	errno = saved;
	return result < 0 ? -1 : 0;
}
