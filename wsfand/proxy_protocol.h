/* SPDX-License-Identifier: MIT */
/* proxy_protocol: the header that a proxy puts before the client's own bytes (HAProxy's
 * proxy-protocol.txt, versions 1 and 2). Pure. Only what a trusted proxy sends may be given
 * here: whoever can write these bytes can claim any address. */
#ifndef WSFAND_PROXY_PROTOCOL_H
#define WSFAND_PROXY_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "wsfand/address.h"

/* The longest header that is taken, of version 2 with TLVs. */
#define PROXY_PROTOCOL_MAX 4096

struct proxy_header {
	/* false: LOCAL, UNKNOWN, or no IP address: the connection's own address holds. */
	bool known;
	struct address source;
	uint16_t source_port;
};

/* Bytes of the header (what follows is the client's), 0: more is needed, -1: no such header,
 * or over PROXY_PROTOCOL_MAX; then the connection is to be dropped. TLVs are skipped. */
MUST_CHECK long proxy_protocol_parse(
    struct proxy_header *header, const uint8_t *data, size_t length);

#endif
