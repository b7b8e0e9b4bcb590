/* SPDX-License-Identifier: MIT */
/* address: an IP address as 16 bytes, IPv4 in its mapped form (::ffff:a.b.c.d, RFC 4291,
 * 2.5.5.2), so that both families compare alike however they were written or accepted.
 * All zero is no address: a peer on a Unix socket. Pure. */
#ifndef WSFAND_ADDRESS_H
#define WSFAND_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "lib/base.h"

#define ADDRESS_BYTES 16

struct address {
	uint8_t bytes[ADDRESS_BYTES];
};

/* 4 or 16 bytes in network order. */
struct address address_from_v4(const uint8_t bytes[static 4]);
struct address address_from_v6(const uint8_t bytes[static ADDRESS_BYTES]);
/* What accept(2) or getpeername(2) said; no address for all but IPv4 and IPv6. */
struct address address_from_socket(const struct sockaddr *socket, socklen_t length);

/* The whole of `text` is "192.0.2.1" or "2001:db8::1", without brackets, zone or port.
 * -1 otherwise. */
MUST_CHECK int address_parse(struct address *address, const char *text, size_t length);
/* "192.0.2.1", "2001:db8::1", or "unix". Returns out. */
#define ADDRESS_TEXT 46
const char *address_format(const struct address *address, char out[static ADDRESS_TEXT]);

bool address_is_none(const struct address *address);
bool address_is_v4(const struct address *address);
bool address_equal(const struct address *a, const struct address *b);

/* Whom limits per address count as one: an IPv4 address, or an IPv6 /64, which is what one
 * subscriber gets (RFC 6177). 0 for no address, and for nothing else. */
uint64_t address_network(const struct address *address);

#endif
