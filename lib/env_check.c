/* SPDX-License-Identifier: MIT */
/* The checks of settings that several daemons share. They look at the words alone,
 * except env_check_directory. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/env.h"
#include "lib/num.h"

#define UNIX_PREFIX "unix:"
/* The longest name of a socket in a directory: "/frames.NN.sock.lock" and a NUL. */
#define SOCKET_NAME_MAX 21
#define HOST_MAX 256
#define LISTEN_MAX 16

static const size_t path_max = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;

static bool
is_unix(const char *text, size_t length)
{
	size_t prefix = strlen(UNIX_PREFIX);
	return length > prefix && length - prefix <= path_max &&
	    memcmp(text, UNIX_PREFIX, prefix) == 0;
}

static bool
is_port(const char *text, size_t length)
{
	uint64_t port;
	return num_parse_u64(text, length, &port) == 0 && port <= 65535;
}

/* An IPv6 address, with its zone (RFC 6874) where it has one. */
static bool
is_v6(const char *text, size_t length)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;
	const char *zone = memchr(text, '%', length);

	if (zone != NULL) {
		if (zone + 1 == text + length)
			return false;
		length = (size_t)(zone - text);
	}
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	return inet_pton(AF_INET6, address, &parsed) == 1;
}

/* Nothing, "*", an IPv4 address, or a name, which may still be unknown. */
static bool
is_host(const char *text, size_t length)
{
	static const char digits[] = "0123456789.";
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	char address[HOST_MAX];
	struct in_addr parsed;

	if (length == 0 || (length == 1 && *text == '*'))
		return true;
	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (strspn(address, digits) == length)
		return inet_pton(AF_INET, address, &parsed) == 1;
	for (size_t i = 0; i < length; i++)
		if (address[i] == '\0' ||
		    (strchr(digits, address[i]) == NULL && strchr(letters, address[i]) == NULL))
			return false;
	return true;
}

/* "host:port", ":port", "*:port" or "[v6]:port". */
static bool
is_host_port(const char *text, size_t length)
{
	const char *colon = memrchr(text, ':', length);
	if (colon == NULL)
		return false;
	size_t host = (size_t)(colon - text);
	if (!is_port(colon + 1, length - host - 1))
		return false;
	if (host > 1 && text[0] == '[')
		return text[host - 1] == ']' && is_v6(text + 1, host - 2);
	return is_host(text, host);
}

static bool
is_listen(const char *text, size_t length)
{
	if (length >= strlen(UNIX_PREFIX) && memcmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return is_unix(text, length);
	return is_host_port(text, length);
}

/* Whether each item of the list, none of them empty and `most` at most, is `good`. */
static bool
list_all(const char *list, size_t most, bool (*good)(const char *text, size_t length))
{
	for (size_t count = 1;; count++) {
		list += strspn(list, " ");
		size_t length = strcspn(list, ",");
		if (length == 0 || count > most || !good(list, length))
			return false;
		if (list[length] == '\0')
			return true;
		list += length + 1;
	}
}

const char *
env_check_listen(const char *value)
{
	return list_all(value, LISTEN_MAX, is_listen)
	    ? NULL
	    : "a list of host:port, [::]:port or unix:PATH, 16 at most, with commas between";
}

const char *
env_check_unix_list(const char *value)
{
	return list_all(value, SIZE_MAX, is_unix) ? NULL
						  : "a list of unix:PATH, with commas between";
}

/* A directory that is not there yet passes: the supervisor may still make it, and
 * trying again helps then. */
const char *
env_check_directory(const char *value)
{
	struct stat status;
	if (strlen(value) + SOCKET_NAME_MAX > path_max)
		return "a directory with a path short enough for Unix sockets in it";
	if (stat(value, &status) == 0 && !S_ISDIR(status.st_mode))
		return "a directory";
	return NULL;
}
