/* SPDX-License-Identifier: MIT */
/* cidr: a list of networks (RFC 4632, RFC 4291, 2.3), for DUNE_TRUSTED_PROXIES. Pure.
 *
 * Separated by commas: "10.0.0.0/8", "2001:db8::/32", an address alone (a network of one), or
 * the word "unix" for peers on Unix sockets. Bits behind the prefix do not matter. A mapped
 * address means its IPv4 one; an IPv6 network shorter than /96 has no IPv4 address in it. */
#ifndef WSFAND_CIDR_H
#define WSFAND_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wsfand/address.h"

#define CIDR_MAX 256

struct cidr {
	struct address base;
	uint8_t bits; /* 0 to 128; of IPv4 too, in the mapped form */
};

/* Zero-initialised: nobody. */
struct cidr_list {
	struct cidr *items;
	size_t count;
	bool with_unix;
};

/* For settings.def: NULL, or what is allowed. */
const char *cidr_check(const char *text);

/* `text` NULL or empty: nobody. -1: not such a list (the list is empty then). */
MUST_CHECK int cidr_list_parse(struct cidr_list *list, const char *text);
bool cidr_list_has(const struct cidr_list *list, const struct address *address);
void cidr_list_free(struct cidr_list *list);

#endif
