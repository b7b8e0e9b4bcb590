/* SPDX-License-Identifier: MIT */
/* fan_state: the inside of a struct fan_port, for fan_port.c and fan_send.c alone. */
#ifndef ANALYTICSD_FAN_STATE_H
#define ANALYTICSD_FAN_STATE_H

#include "analyticsd/fan_port.h"
#include "analyticsd/interest.h"
#include "analyticsd/publish.h"
#include "analyticsd/room_frames.h"
#include "lib/link.h"

struct fan_link {
	struct fan_port *fan;
	size_t index;
	char *name;
	struct link *link;
};

struct fan_port {
	struct fan_config config;
	struct ev_loop *loop;
	ev_prepare turn_end;
	ev_timer due;
	struct interest *interest;
	struct publish *publish;
	struct room_frames *frames; /* of the room at hand */
	size_t count;
	struct fan_link links[];
};

/* fan_send.c: this news of a room, to all links that have it open, and what each of them wants
 * besides. */
void fan_deliver(struct fan_port *fan, struct room *room, unsigned news);
/* A link (`owner`) has room again: what it is owed. */
void fan_drained(void *owner);

#endif
