/* SPDX-License-Identifier: MIT */
#include "wsfand/confine.h"

#include "lib/sandbox.h"

/* An upgrade in place executes the new binary under this very sandbox (which the kernel hands
 * down), so it holds what a start takes, and what asking the new binary beforehand takes. New TCP
 * sockets are not among it: listeners are handed on. */
static const char calls[] =
    "execve execveat vfork fork wait4 waitid kill memfd_create ftruncate close_range "
    "socketpair arch_prctl set_tid_address prctl seccomp landlock_create_ruleset "
    "landlock_add_rule landlock_restrict_self bind listen chmod fchmodat flock umask";

void
confine(const struct settings *settings, const char *program)
{
	static const struct sandbox sandbox = {.calls = calls, .threads = true};
	const char *const directories[] = {settings->run_dir, NULL};
	const struct sandbox_config config = {
	    .wanted = settings->sandbox != 0,
	    .directories = directories,
	    .program = program,
	    .listen = settings->listen,
	};

	sandbox_enter(&sandbox, &config);
}
