/* SPDX-License-Identifier: MIT */
/* upgrade: what a request deserves (RFC 6455, 4.2), in this order: path, form id,
 * method, upgrade, version, key, extensions, origin. Whether there is room is asked after that
 * (admit). Pure. */
#ifndef WSFAND_UPGRADE_H
#define WSFAND_UPGRADE_H

#include "lib/form_id.h"
#include "lib/http_head.h"
#include "wsfand/address.h"
#include "wsfand/extension.h"

enum verdict {
	VERDICT_SWITCH, /* 101 */
	VERDICT_BAD_ID,
	VERDICT_MALFORMED,
	VERDICT_ORIGIN,
	VERDICT_PATH,
	VERDICT_METHOD,
	VERDICT_UPGRADE,
	VERDICT_VERSION,
	VERDICT_FULL,
	VERDICT_DRAINING,
	VERDICT_RATE,
	VERDICT_ADDRESS_FULL,
	VERDICT_TOTAL_RATE,
	VERDICT_TOKEN_CONFLICT,
	VERDICT_TOKEN_MISSING,
	VERDICT_TOKEN_INVALID,
	VERDICT_TOKEN_EXPIRED,
	VERDICT_TOKEN_FORM,
	VERDICT_STATSD,
};

struct upgrade {
	struct form_id form;
	const struct http_field *key; /* Sec-WebSocket-Key */
	struct deflate_terms deflate; /* what the client offers */
	const char *problem; /* VERDICT_MALFORMED, VERDICT_TOKEN_…: a literal */
	/* What admit finds out besides. */
	struct address client; /* whose it is */
	uint64_t network; /* of that address: address_network() */
	int64_t expires_ms; /* when its token ends, by the wall clock; 0: never */
	uint32_t retry_after_s; /* VERDICT_RATE, VERDICT_TOTAL_RATE */
	bool bearer; /* to be answered with that subprotocol */
};

/* `origins`: see wsfand/origin.h. The result points into the head. */
enum verdict upgrade_judge(
    struct upgrade *upgrade, const struct http_head *head, const char *origins);

#endif
