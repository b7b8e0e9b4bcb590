/* SPDX-License-Identifier: MIT */
/* heir: an estate while it is adopted: what its records refer to, by number. Holds a reference to
 * each message until it is freed. */
#ifndef WSFAND_HEIR_H
#define WSFAND_HEIR_H

#include <stdint.h>

#include "wsfand/estate_record.h"
#include "wsfand/message.h"

struct producer;
struct room;

struct heir {
	struct message **messages;
	struct room **rooms;
	size_t message_count, room_count;
	struct producer *producer; /* the last that came, or NULL: interest is its own */
};

/* Room for so many, as estate_check() has counted them. */
void heir_init(struct heir *heir, size_t messages, size_t rooms);
void heir_free(struct heir *heir);

void heir_take_message(struct heir *heir, const struct estate_message *record);
void heir_take_room(struct heir *heir, struct room *room);
/* NULL for 0. */
struct message *heir_message(const struct heir *heir, uint64_t number);
struct room *heir_room(const struct heir *heir, uint64_t number);

/* Makes an inherited descriptor close-on-exec again. It dies (111) where that is not open, or, of a
 * socket, is something else: what was checked and is then not there is nobody's estate. */
int heir_fd(uint64_t fd);
int heir_socket(uint64_t fd);

#endif
