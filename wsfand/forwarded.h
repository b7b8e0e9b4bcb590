/* SPDX-License-Identifier: MIT */
/* forwarded: whose a request is behind proxies: X-Forwarded-For, or Forwarded (RFC 7239). Pure.
 *
 * Each proxy appends whom it has the request from, so the list is true only from its right end
 * as far as the proxies that wrote it are trusted: the rightmost address that is not trusted is
 * the client's; where all are, the leftmost. Anything else yields the peer's own address, which
 * gains a liar nothing, since limits then count him together with all other liars: a name,
 * "unknown" or garbage where an address must stand, a list of over FORWARDED_MAX_NODES trusted
 * ones, or both headers telling different addresses (a proxy that writes one may pass on
 * whatever the client put into the other). */
#ifndef WSFAND_FORWARDED_H
#define WSFAND_FORWARDED_H

#include "lib/http_head.h"
#include "wsfand/address.h"
#include "wsfand/cidr.h"

#define FORWARDED_MAX_NODES 32

/* `peer`: who is connected (or, with the PROXY protocol, who it says is). The peer's own
 * address where it is not trusted or sends no such header. */
struct address forwarded_client(
    const struct http_head *head, const struct cidr_list *trusted, const struct address *peer);

#endif
