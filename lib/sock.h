/* SPDX-License-Identifier: MIT */
/* sock: making sockets. All descriptors are close-on-exec and non-blocking. */
#ifndef LIB_SOCK_H
#define LIB_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base.h"

struct sock_address {
	struct sockaddr_storage storage;
	socklen_t length;
};

/* close(2), and *fd = -1. Nothing happens on -1. Keeps errno. */
void fd_close(int *fd);

/* A listening Unix socket with the given mode. A stale file (nobody answers) is replaced; a
 * live one is EADDRINUSE; a path that is no socket is EEXIST; too long a path is ENAMETOOLONG.
 * The file lock PATH.lock (held as long as the process lives) makes two daemons that start at
 * once agree. The fd, or -1 with errno. */
MUST_CHECK int sock_listen_unix(const char *path, unsigned mode, int backlog);

/* unlink()s PATH at a clean end; ignores errors. */
void sock_unlink(const char *path);

/* For a listening Unix socket that goes on in another process image: the descriptor of PATH's lock,
 * or -1; and the reverse, in that image: the lock is held already, by `fd`. */
int sock_lock_fd(const char *path);
void sock_lock_adopt(const char *path, int fd);

/* connect() to a Unix socket, at once or not at all. The fd, or -1 with errno. */
MUST_CHECK int sock_connect_unix(const char *path);

/* "host:port", "[v6]:port" (numeric hosts, or a name getaddrinfo knows; "*" and "" mean any). 0
 * or -1 (errno EINVAL, or EADDRNOTAVAIL where nobody knows the name). */
MUST_CHECK int sock_address_parse(struct sock_address *address, const char *text);
/* "127.0.0.1:8080", "[::1]:8080", "unix:PATH". Returns out. */
#define SOCK_ADDRESS_TEXT 128
const char *sock_address_text(
    const struct sock_address *address, char out[static SOCK_ADDRESS_TEXT]);

/* A listening TCP socket: SO_REUSEADDR, for [::] IPV6_V6ONLY off; TCP_NODELAY is inherited. The
 * fd or -1. */
MUST_CHECK int sock_listen_tcp(const struct sock_address *address, int backlog);
/* The same, on a port that other processes of this user listen on likewise (SO_REUSEPORT): the
 * kernel spreads connections among them. */
MUST_CHECK int sock_listen_tcp_shared(const struct sock_address *address, int backlog);
/* Where a socket is bound (port 0 resolved). */
MUST_CHECK int sock_local_address(int fd, struct sock_address *address);

/* How many bytes the kernel holds at most, roughly, until the peer of a connected socket has taken
 * them; INT_MAX: as many as it allows. */
void sock_set_send_buffer(int fd, int bytes);
/* Bytes that were written to a TCP socket, and that its peer's kernel has not acknowledged yet. */
uint32_t sock_unacknowledged(int fd);

/* Raises RLIMIT_NOFILE's soft limit to the hard one; the limit that holds then. */
unsigned long sock_raise_file_limit(void);

#endif
