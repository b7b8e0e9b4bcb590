/* SPDX-License-Identifier: MIT */
/* wire_state: what wire.c (frames, as they come) and wire_estate.c (a half-read one, from one
 * process to the next) share. */
#ifndef WSFAND_WIRE_STATE_H
#define WSFAND_WIRE_STATE_H

#include "lib/buf.h"
#include "lib/utf8.h"
#include "wsfand/wire.h"

struct wire {
	struct buf frame; /* the first bytes of an unfinished frame */
	struct buf message; /* the fragments of an unfinished message */
	struct utf8_state text; /* of all that has been checked: */
	size_t checked; /* the fragments, and so many bytes of the unfinished frame's payload */
	uint8_t opcode; /* of that message; 0: none is under way */
	bool deflated; /* and it is compressed */
};

/* One call of wire_feed(). */
struct feed {
	struct wire **wire;
	const struct wire_terms *terms;
	const struct wire_events *events;
	void *owner;
	bool stopped;
};

/* *feed->wire, made when there is none. */
struct wire *wire_of(struct feed *feed);

#endif
