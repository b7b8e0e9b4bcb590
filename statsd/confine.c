/* SPDX-License-Identifier: MIT */
#include "statsd/confine.h"

#include "lib/sandbox.h"

void
confine(const struct settings *settings)
{
	static const struct sandbox sandbox = {.calls = NULL};
	const char *const directories[] = {settings->run_dir, NULL};
	const struct sandbox_config config = {
	    .wanted = settings->sandbox != 0,
	    .directories = directories,
	    .listen = settings->stats_listen,
	};

	sandbox_enter(&sandbox, &config);
}
