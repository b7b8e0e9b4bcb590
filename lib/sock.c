/* SPDX-License-Identifier: MIT */
#include "lib/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/mem.h"
#include "lib/num.h"

/* The lock beside each socket that this process listens on. */
struct sock_lock {
	struct sock_lock *next;
	char *path; /* of the socket */
	int fd;
};

static struct sock_lock *locks;

void
fd_close(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static int
unix_address(struct sockaddr_un *address, const char *path)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (length >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address->sun_path, path, length);
	return 0;
}

/* Whether `fd` is still the file that stands at `path`: its last holder may have
 * removed it between our open() and our flock(). */
static bool
is_file_at(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino;
}

/* The locked fd of PATH.lock, or -1 (EADDRINUSE when somebody holds it). */
static int
lock_path(const char *path)
{
	char *lock = mem_printf("%s.lock", path);
	int fd = -1;

	for (int tries = 0; tries < 100; tries++) {
		fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			break;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno == EWOULDBLOCK)
				errno = EADDRINUSE;
			fd_close(&fd);
			break;
		}
		if (is_file_at(fd, lock))
			break;
		fd_close(&fd);
		errno = EADDRINUSE;
	}
	MEM_FREE(&lock);
	return fd;
}

static void
unlock_path(const char *path)
{
	for (struct sock_lock **at = &locks; *at; at = &(*at)->next) {
		struct sock_lock *lock = *at;
		char *file;

		if (strcmp(lock->path, path) != 0)
			continue;
		*at = lock->next;
		file = mem_printf("%s.lock", path);
		unlink(file);
		MEM_FREE(&file);
		fd_close(&lock->fd);
		MEM_FREE(&lock->path);
		MEM_FREE(&lock);
		return;
	}
}

static void
remember_lock(const char *path, int fd)
{
	struct sock_lock *lock = mem_zalloc(sizeof(*lock));

	lock->path = mem_strdup(path);
	lock->fd = fd;
	lock->next = locks;
	locks = lock;
}

int
sock_lock_fd(const char *path)
{
	for (const struct sock_lock *lock = locks; lock; lock = lock->next)
		if (strcmp(lock->path, path) == 0)
			return lock->fd;
	return -1;
}

void
sock_lock_adopt(const char *path, int fd)
{
	remember_lock(path, fd);
}

/* Takes away a socket that nobody serves. -1: something is there that must stay. */
static int
remove_stale(const char *path)
{
	struct stat there;
	int fd;

	if (lstat(path, &there) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(there.st_mode)) {
		errno = EEXIST;
		return -1;
	}
	fd = sock_connect_unix(path);
	if (fd >= 0 || errno == EAGAIN) {
		fd_close(&fd);
		errno = EADDRINUSE;
		return -1;
	}
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED)
		return -1;
	return unlink(path) < 0 && errno != ENOENT ? -1 : 0;
}

int
sock_listen_unix(const char *path, unsigned mode, int backlog)
{
	struct sockaddr_un address;
	int fd = -1, lock, saved;

	if (unix_address(&address, path) < 0)
		return -1;
	lock = lock_path(path);
	if (lock < 0)
		return -1;
	remember_lock(path, lock);
	if (remove_stale(path) < 0)
		goto out;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		goto out;
	/* Nobody can connect before listen(), so the mode is right in time. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, backlog) < 0)
		fd_close(&fd);
out:
	if (fd < 0) {
		saved = errno;
		unlock_path(path);
		errno = saved;
	}
	return fd;
}

void
sock_unlink(const char *path)
{
	int saved = errno;

	unlink(path);
	unlock_path(path);
	errno = saved;
}

int
sock_connect_unix(const char *path)
{
	struct sockaddr_un address;
	int fd;

	if (unix_address(&address, path) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		fd_close(&fd);
	return fd;
}

/* Splits "host:port" and "[v6]:port"; `host` gets a copy without brackets. */
static int
split_host_port(const char *text, char *host, size_t size, const char **port)
{
	const char *colon = strrchr(text, ':');
	const char *start = text;
	size_t length;

	if (!colon)
		return -1;
	length = (size_t)(colon - text);
	if (*text == '[') {
		if (length < 2 || text[length - 1] != ']')
			return -1;
		start = text + 1;
		length -= 2;
	} else if (memchr(text, ':', length)) {
		return -1;
	}
	if (length >= size)
		return -1;
	memcpy(host, start, length);
	host[length] = '\0';
	*port = colon + 1;
	return 0;
}

int
sock_address_parse(struct sock_address *address, const char *text)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	const char *port, *name;
	char host[256];
	uint64_t number;

	errno = EINVAL;
	if (split_host_port(text, host, sizeof(host), &port) < 0 ||
	    num_parse_u64(port, strlen(port), &number) < 0 || number > 65535) {
		errno = EINVAL;
		return -1;
	}
	name = *host == '\0' || strcmp(host, "*") == 0 ? "0.0.0.0" : host;
	if (getaddrinfo(name, port, &hints, &found) != 0 || !found) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	memset(address, 0, sizeof(*address));
	memcpy(&address->storage, found->ai_addr, found->ai_addrlen);
	address->length = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

const char *
sock_address_text(const struct sock_address *address, char out[static SOCK_ADDRESS_TEXT])
{
	const struct sockaddr *any = (const struct sockaddr *)&address->storage;
	const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
	const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
	char host[INET6_ADDRSTRLEN] = "";

	if (any->sa_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(out, SOCK_ADDRESS_TEXT, "%s:%u", host, ntohs(in->sin_port));
	} else if (any->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(out, SOCK_ADDRESS_TEXT, "[%s]:%u", host, ntohs(in6->sin6_port));
	} else if (any->sa_family == AF_UNIX) {
		/* A peer that was never bound has no path at all. */
		size_t head = offsetof(struct sockaddr_un, sun_path);
		size_t length = address->length > head ? address->length - head : 0;

		snprintf(out, SOCK_ADDRESS_TEXT, "unix:%.*s", (int)strnlen(un->sun_path, length),
		    un->sun_path);
	} else {
		snprintf(out, SOCK_ADDRESS_TEXT, "unknown");
	}
	return out;
}

static int
listen_tcp(const struct sock_address *address, int backlog, bool shared)
{
	int family = address->storage.ss_family, on = 1, off = 0;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    (family == AF_INET6 &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0) ||
	    bind(fd, (const struct sockaddr *)&address->storage, address->length) < 0 ||
	    listen(fd, backlog) < 0)
		fd_close(&fd);
	return fd;
}

int
sock_listen_tcp(const struct sock_address *address, int backlog)
{
	return listen_tcp(address, backlog, false);
}

int
sock_listen_tcp_shared(const struct sock_address *address, int backlog)
{
	return listen_tcp(address, backlog, true);
}

int
sock_local_address(int fd, struct sock_address *address)
{
	memset(address, 0, sizeof(*address));
	address->length = sizeof(address->storage);
	return getsockname(fd, (struct sockaddr *)&address->storage, &address->length);
}

void
sock_set_send_buffer(int fd, int bytes)
{
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

uint32_t
sock_unacknowledged(int fd)
{
	int bytes;

	return ioctl(fd, SIOCOUTQ, &bytes) == 0 ? (uint32_t)bytes : 0;
}

unsigned long
sock_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t soft = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			limit.rlim_cur = soft;
	}
	return limit.rlim_cur;
}
