/* SPDX-License-Identifier: MIT */
/* batch: messages that go to many clients at once. Where several go to several, they are
 * copied into one stretch of bytes: copying once costs less than gathering for each. For
 * clients who agreed on compression there is a batch per window, made when the first of
 * them comes. Pure. */
#ifndef WSFAND_BATCH_H
#define WSFAND_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "wsfand/message.h"
#include "wsfand/outq.h"

#define BATCH_MESSAGES 64
#define BATCH_BYTES 262144
#define BATCH_WINDOWS 9 /* plain, and windows of 8 to 15 bits */

struct batch {
	struct message **messages;
	size_t count; /* 0: not made */
	size_t length; /* of all */
	const uint8_t *joined; /* all of them, or NULL: to be gathered */
};

struct batches {
	const struct outq *queue;
	bool join; /* enough clients get them for that to be worth it */
	struct batch each[BATCH_WINDOWS];
	struct message *messages[BATCH_WINDOWS][BATCH_MESSAGES];
};

/* Of all that is in `queue`, at most BATCH_MESSAGES; it must stay as it is. One at a time:
 * what is joined is valid until the next. */
void batches_init(struct batches *batches, const struct outq *queue, bool join);
/* The batch for a client with that window (0: none). */
const struct batch *batches_make(struct batches *batches, size_t index, uint8_t window);

static inline const struct batch *
batches_get(struct batches *batches, uint8_t window)
{
	size_t index = window == 0 ? 0 : window - 7U;

	return batches->each[index].count > 0 ? &batches->each[index]
					      : batches_make(batches, index, window);
}

#endif
