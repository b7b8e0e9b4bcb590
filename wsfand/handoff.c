/* SPDX-License-Identifier: MIT */
#include "wsfand/handoff.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/fdpass.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/counters.h"

struct handoff {
	char *path;
	int fd;
	int reserved; /* held in its place while there is none, so that one is left for it */
};

static void
reserve(struct handoff *handoff)
{
	if (handoff->fd < 0 && handoff->reserved < 0)
		handoff->reserved = eventfd(0, EFD_CLOEXEC);
}

struct handoff *
handoff_new(const char *run_dir)
{
	struct handoff *handoff = mem_zalloc(sizeof(*handoff));

	handoff->path = mem_printf("%s/http.sock", run_dir);
	handoff->fd = handoff->reserved = -1;
	reserve(handoff);
	return handoff;
}

static int
pass_once(struct handoff *handoff, int fd)
{
	if (handoff->fd < 0) {
		fd_close(&handoff->reserved);
		handoff->fd = sock_connect_unix(handoff->path);
	}
	if (handoff->fd < 0 || fdpass_send(handoff->fd, fd) == 0)
		return handoff->fd < 0 ? -1 : 0;
	/* Behind is not gone: the connection stays. */
	if (errno != EAGAIN)
		fd_close(&handoff->fd);
	return -1;
}

int
handoff_pass(struct handoff *handoff, int fd)
{
	static struct log_limit limit = LOG_LIMIT(1, 10000);
	bool connected = handoff->fd >= 0;
	int passed = pass_once(handoff, fd);

	/* statsd may have been started anew since the last time. */
	if (passed < 0 && connected && handoff->fd < 0)
		passed = pass_once(handoff, fd);
	if (passed == 0)
		counters[COUNTER_handed_over]++;
	else
		log_limited(&limit, LOG_WARN, "unable to hand a request over to %s: %s",
		    handoff->path, strerror(errno));
	reserve(handoff);
	return passed;
}

void
handoff_free(struct handoff **pointer)
{
	struct handoff *handoff = *pointer;

	*pointer = NULL;
	if (!handoff)
		return;
	fd_close(&handoff->fd);
	fd_close(&handoff->reserved);
	MEM_FREE(&handoff->path);
	MEM_FREE(&handoff);
}
