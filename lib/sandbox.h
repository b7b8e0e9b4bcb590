/* SPDX-License-Identifier: MIT */
/* sandbox: what a daemon gives up once it has started, so that whoever takes it over gets little.
 *
 *   no new privileges  set-user-ID programs give none back (prctl(2), PR_SET_NO_NEW_PRIVS)
 *   landlock(7)        writes only below the named directories, and executes only what lies beside
 *                      the named program, if any; connects to no TCP port and binds
 *                      none (from ABI 4 on); signals nobody outside (from ABI 6 on). Reading
 *                      stays as it was: HUP reads keys again, and an upgrade the new binary
 *   seccomp(2)         only the system calls that are listed; no sockets but Unix ones
 *
 * Each part holds by itself. Where the kernel refuses one (an old one, a container's own
 * filter) that is said once, at WARN, and the daemon goes on without.
 *
 * A forbidden call fails with ENOSYS, as if the kernel did not have it, and the kernel's log
 * names it. Death would be louder, but it would be all viewers' whenever a newer libc tries a
 * call that nobody has heard of yet; and ENOSYS, not EPERM, is what makes libc fall back to the
 * older one (clone3 to clone, which can be looked into).
 *
 * The filter is libseccomp's: names instead of numbers, on every architecture that Debian has, a
 * search tree instead of a long row of comparisons, and the traps (x32, calls that a libc
 * replaces by others) are its authors' daily business. Not on 32 bits, where half of the calls
 * have other names.
 *
 * All of it is inherited through execve(2). What a process has entered stands in its environment,
 * with its pid: a binary that takes the place of another in the same process does not enter
 * again (the kernel takes 16 layers of landlock) and keeps what held before. */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <stdbool.h>

/* What a daemon needs beyond what all need (lib/sandbox_calls.c). */
struct sandbox {
	const char *calls; /* names of system calls, a space between any two; or NULL */
	bool internet; /* TCP and UDP sockets, and what getaddrinfo(3) asks of the kernel */
	bool threads; /* clone(2) without new namespaces: threads, and fork(2) */
};

struct sandbox_config {
	bool wanted; /* DUNE_SANDBOX */
	const char *const *directories; /* where files and sockets are made, NULL at the end */
	/* A program that is executed, or whatever has taken its place in its directory by then; the
	 * loader of shared libraries may be, with it. NULL: none is. */
	const char *program;
	const char *listen; /* addresses (DUNE_LISTEN): the directories of `unix:PATH`; or NULL */
};

/* Before the process has threads. Logs what holds, and what does not. */
void sandbox_enter(const struct sandbox *sandbox, const struct sandbox_config *config);

#endif
