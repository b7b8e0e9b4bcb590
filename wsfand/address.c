/* SPDX-License-Identifier: MIT */
#include "wsfand/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct address
address_from_v4(const uint8_t bytes[static 4])
{
	struct address address;
	memcpy(address.bytes, mapped, sizeof(mapped));
	memcpy(address.bytes + sizeof(mapped), bytes, 4);
	return address;
}

struct address
address_from_v6(const uint8_t bytes[static ADDRESS_BYTES])
{
	struct address address;
	memcpy(address.bytes, bytes, ADDRESS_BYTES);
	return address;
}

struct address
address_from_socket(const struct sockaddr *socket, socklen_t length)
{
	if (socket->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in v4;
		memcpy(&v4, socket, sizeof(v4));
		return address_from_v4((const uint8_t *)&v4.sin_addr);
	}
	if (socket->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 v6;
		memcpy(&v6, socket, sizeof(v6));
		return address_from_v6(v6.sin6_addr.s6_addr);
	}
	return (struct address){{0}};
}

int
address_parse(struct address *address, const char *text, size_t length)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[ADDRESS_BYTES];

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		*address = address_from_v4(bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		*address = address_from_v6(bytes);
	else
		return -1;
	return 0;
}

const char *
address_format(const struct address *address, char out[static ADDRESS_TEXT])
{
	if (address_is_none(address))
		memcpy(out, "unix", sizeof("unix"));
	else if (address_is_v4(address))
		inet_ntop(AF_INET, address->bytes + sizeof(mapped), out, ADDRESS_TEXT);
	else
		inet_ntop(AF_INET6, address->bytes, out, ADDRESS_TEXT);
	return out;
}

bool
address_is_none(const struct address *address)
{
	static const struct address none;
	return address_equal(address, &none);
}

bool
address_is_v4(const struct address *address)
{
	return memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
}

bool
address_equal(const struct address *a, const struct address *b)
{
	return memcmp(a->bytes, b->bytes, ADDRESS_BYTES) == 0;
}

static uint64_t
read_big_endian(const uint8_t *bytes, int count)
{
	uint64_t value = 0;
	for (int i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* IPv4 takes the place of 0:ffff::/32, and ::/64 (where ::1 is) that of 0:0:0:1::/64, of
 * which neither is ever anybody's. */
uint64_t
address_network(const struct address *address)
{
	if (address_is_none(address))
		return 0;
	if (address_is_v4(address))
		return UINT64_C(0xffff) << 32 | read_big_endian(address->bytes + sizeof(mapped), 4);
	uint64_t network = read_big_endian(address->bytes, 8);
	return network != 0 ? network : 1;
}
