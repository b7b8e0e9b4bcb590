/* SPDX-License-Identifier: MIT */
/* estate_check: whether an estate holds together, as a whole: what is referred to is there, no
 * descriptor belongs to two, what is half written is longer than what has left. Who adopts relies
 * on it. Pure: whether the descriptors are open is not asked. */
#ifndef WSFAND_ESTATE_CHECK_H
#define WSFAND_ESTATE_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "wsfand/estate_record.h"

struct estate_summary {
	struct estate_bytes body; /* for estate_read_record() */
	struct estate_bytes program; /* who wrote it: a version, printable */
	uint32_t version;
	size_t messages, rooms, clients, producers, newcomers, listeners;
};

/* NULL, and *summary is filled in; or what is wrong (a literal). */
const char *estate_check(struct estate_summary *summary, const uint8_t *data, size_t length);

/* How long the header of a message's frame is, or 0: it is not one whole unmasked frame. */
size_t estate_frame_header(const struct estate_bytes *frame);
/* The i-th message that waits in a client's queue. */
uint32_t estate_queued(const struct estate_bytes *queue, size_t i);

#endif
