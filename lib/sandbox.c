/* SPDX-License-Identifier: MIT */
#include "lib/sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/log.h"
#include "lib/sandbox_calls.h"
#include "lib/sandbox_files.h"

#define MARK "DUNE_SANDBOXED" /* the pid of the process that has entered */
#define TEXT_SIZE 256

/* "name, name (why)" */
struct names {
	char text[TEXT_SIZE];
	size_t length;
};

static void PRINTF_LIKE(2, 3) add(struct names *names, const char *format, ...)
{
	va_list arguments;
	size_t room = sizeof(names->text) - names->length;
	int length;

	va_start(arguments, format);
	length = vsnprintf(names->text + names->length, room, format, arguments);
	va_end(arguments);
	if (length > 0)
		names->length += MIN((size_t)length, room - 1);
}

static bool
entered_before(void)
{
	const char *mark = getenv(MARK);
	char pid[24];

	snprintf(pid, sizeof(pid), "%jd", (intmax_t)getpid());
	/* The environment alone is not believed. */
	if (mark != NULL && strcmp(mark, pid) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return true;
	if (setenv(MARK, pid, 1) < 0)
		log_warn("unable to set DUNE_SANDBOXED: %s", strerror(errno));
	return false;
}

/* The result of a part: 0, or -1 with errno. */
static void
note(struct names *held, struct names *refused, const char *part, int result)
{
	struct names *names = result < 0 ? refused : held;

	add(names, "%s%s", names->length > 0 ? ", " : "", part);
	if (result < 0)
		add(names, " (%s)", strerror(errno));
}

void
sandbox_enter(const struct sandbox *sandbox, const struct sandbox_config *config)
{
	struct names held = {.length = 0}, refused = {.length = 0};

	if (!config->wanted) {
		log_info("sandbox: none, as DUNE_SANDBOX says");
		return;
	}
	if (entered_before()) {
		log_info("sandbox: as before the upgrade");
		return;
	}
	note(&held, &refused, "no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	note(&held, &refused, "landlock", sandbox_files(sandbox, config));
	/* The last: its list need not hold what the others take. */
	note(&held, &refused, "seccomp", sandbox_calls(sandbox));
	if (held.length > 0)
		log_info("sandbox: %s", held.text);
	if (refused.length > 0)
		log_warn("sandbox: the kernel refuses %s; going on without", refused.text);
}
