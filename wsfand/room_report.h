/* SPDX-License-Identifier: MIT */
/* room_report: tells statsd how many clients each room has, as differences
 * (docs/protocol.md, "Reports"). */
#ifndef WSFAND_ROOM_REPORT_H
#define WSFAND_ROOM_REPORT_H

#include <stdint.h>

#include "lib/form_id.h"
#include "lib/report.h"
#include "wsfand/interest.h"
#include "wsfand/room.h"

struct room_report {
	struct interest changes;
};

void room_report_init(struct room_report *report);
void room_report_free(struct room_report *report);
void room_report_changed(struct room_report *report, const struct form_id *id, uint32_t clients);
/* statsd knows nothing (any more): all rooms are news. */
void room_report_anew(struct room_report *report, const struct rooms *rooms);
/* Sends what has changed; what cannot be sent now is sent with the next. */
void room_report_send(struct room_report *report, struct report *to);

#endif
