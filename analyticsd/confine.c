/* SPDX-License-Identifier: MIT */
#include "analyticsd/confine.h"

#include "lib/sandbox.h"

/* SQLite's files, room on the disk, and turning to another database when all is counted anew. */
static const char calls[] =
    "statfs fstatfs fsync fdatasync ftruncate fallocate fchmod fchown flock rename "
    "renameat renameat2 utimensat";

void
confine(const struct settings *settings)
{
	static const struct sandbox sandbox = {.calls = calls};
	const char *const directories[] = {settings->run_dir, settings->state_dir, NULL};
	const struct sandbox_config config = {
	    .wanted = settings->sandbox != 0,
	    .directories = directories,
	};

	sandbox_enter(&sandbox, &config);
}
