/* SPDX-License-Identifier: MIT */
/* producer: one connection to the frames socket. Only upstream.c makes them. */
#ifndef WSFAND_PRODUCER_H
#define WSFAND_PRODUCER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/form_id.h"
#include "lib/list.h"
#include "wsfand/saver.h"

struct producer;

struct producers {
	struct ev_loop *loop;
	struct list all; /* producer_of() */
	uint32_t count;
	unsigned long last_number; /* they are numbered for the log */
	size_t max_frame;
	/* One whole frame's payload. False: not now; the producer is not read from until
	 * producer_go_on(), and then the frame comes again. */
	bool (*frame)(void *owner, unsigned long number, const uint8_t *payload, size_t length);
	/* One has left. */
	void (*gone)(void *owner);
	void *owner;
};

/* Takes over `fd`. Nothing is told before producer_tell(). */
struct producer *producer_start(struct producers *producers, int fd);
struct producer *producer_of(struct list *node);
unsigned long producer_number(const struct producer *producer);
/* The room has so many clients now; 0: it is gone. Leaves as soon as it may. */
void producer_tell(struct producer *producer, const struct form_id *id, uint32_t clients);
/* True: it was not read from, and is again. */
bool producer_go_on(struct producer *producer);
/* For an upgrade in place. */
void producer_save(struct producer *producer, struct saver *saver);
/* One of before. NULL: it does not fit this binary's limits, and is closed. */
struct producer *producer_adopt(struct producers *producers, const struct estate_producer *record);
void producer_adopt_interest(struct producer *producer, const struct estate_interest *record);
/* Once all is there: goes on telling. */
void producer_settle(struct producer *producer);
void producer_end(struct producer *producer);

#endif
