/* SPDX-License-Identifier: MIT */
#include "lib/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/num.h"

#define VARIABLE "DUNE_NOTIFY_FD"

static int notify_fd = -1;

void
notify_init(void)
{
	const char *text = getenv(VARIABLE);
	if (text == NULL || text[0] == '\0')
		return;
	uint64_t fd;
	if (num_parse_u64(text, strlen(text), &fd) < 0 || fd > INT_MAX ||
	    fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		die_usage(VARIABLE ": \"%s\" is not the number of an open descriptor", text);
	notify_fd = (int)fd;
	unsetenv(VARIABLE);
}

void
notify_ready(void)
{
	if (notify_fd < 0)
		return;
	ssize_t written;
	do
		written = write(notify_fd, "\n", 1);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		log_warn(
		    "unable to tell readiness to descriptor %d: %s", notify_fd, strerror(errno));
	close(notify_fd);
	notify_fd = -1;
}
