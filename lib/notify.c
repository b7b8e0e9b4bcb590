/* SPDX-License-Identifier: MIT */
#include "lib/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/die.h"
#include "lib/log.h"
#include "lib/num.h"

#define VARIABLE "DUNE_NOTIFY_FD"

#define SOCKET_VARIABLE "NOTIFY_SOCKET"

static int notify_fd = -1;
static struct sockaddr_un notify_socket;
static socklen_t notify_socket_length; /* 0: nobody listens */

/* A path, or, with an @ in the place of the first byte, a name without a file (unix(7)). */
static void
take_socket(void)
{
	const char *text = getenv(SOCKET_VARIABLE);
	if (text == NULL || (text[0] != '/' && text[0] != '@'))
		return;
	size_t length = strlen(text);
	if (length < sizeof(notify_socket.sun_path)) {
		notify_socket.sun_family = AF_UNIX;
		memcpy(notify_socket.sun_path, text, length);
		if (text[0] == '@')
			notify_socket.sun_path[0] = '\0';
		notify_socket_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	unsetenv(SOCKET_VARIABLE);
}

void
notify_init(void)
{
	take_socket();
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

static void
tell_socket(void)
{
	static const char ready[] = "READY=1";
	if (notify_socket_length == 0)
		return;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL,
		(const struct sockaddr *)&notify_socket, notify_socket_length) < 0)
		log_warn("unable to tell readiness to NOTIFY_SOCKET: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	notify_socket_length = 0;
}

void
notify_ready(void)
{
	tell_socket();
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
