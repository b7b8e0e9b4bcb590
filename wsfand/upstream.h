/* SPDX-License-Identifier: MIT */
/* upstream: the frames socket: any number of producers whose frames go to the
 * rooms, and who are told which rooms there are (docs/protocol.md, "Frames socket"). */
#ifndef WSFAND_UPSTREAM_H
#define WSFAND_UPSTREAM_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/form_id.h"
#include "wsfand/heir.h"
#include "wsfand/listeners.h"
#include "wsfand/room.h"
#include "wsfand/saver.h"

struct upstream;

/* Listens on <run_dir>/frames.sock, or frames.<instance>.sock where that is not 0, unless that is
 * among the `listeners` already; dies (111) when it cannot. */
struct upstream *upstream_new(struct ev_loop *loop, const char *run_dir, int instance,
    size_t max_frame, struct rooms *rooms, struct listeners *listeners);
/* The room has so many clients now: tells all producers. */
void upstream_room_changed(struct upstream *upstream, const struct form_id *id, uint32_t clients);
uint32_t upstream_producers(const struct upstream *upstream);
/* To be called in each turn, when what was published has been sent: whoever brought more than a
 * room takes may go on. True: somebody does, in this turn, and brings what is to be sent. */
bool upstream_go_on(struct upstream *upstream);
/* For an upgrade in place: the listener, and all producers with what they are owed. */
void upstream_save(struct upstream *upstream, struct saver *saver);
void upstream_adopt_producer(
    struct upstream *upstream, struct heir *heir, const struct estate_producer *record);
/* Of the producer that was adopted last. */
void upstream_adopt_interest(const struct heir *heir, const struct estate_interest *record);
/* `last`: the number that the last producer got. */
void upstream_settle(struct upstream *upstream, uint64_t last);
uint64_t upstream_last_producer(const struct upstream *upstream);
void upstream_free(struct upstream **pointer);

#endif
