/* SPDX-License-Identifier: MIT */
#include "ingestd/confine.h"

#include "lib/sandbox.h"

/* A file as the source is watched; libmongoc has a thread and counters in shared memory; the
 * resolver binds the socket with which it asks the kernel for addresses. */
static const char calls[] =
    "inotify_init1 inotify_add_watch inotify_rm_watch ftruncate prctl bind recvmmsg";

void
confine(const struct settings *settings)
{
	static const struct sandbox sandbox = {.calls = calls, .internet = true, .threads = true};
	const char *const directories[] = {"/dev/shm", NULL};
	const struct sandbox_config config = {
	    .wanted = settings->sandbox != 0,
	    .directories = directories,
	};

	sandbox_enter(&sandbox, &config);
}
