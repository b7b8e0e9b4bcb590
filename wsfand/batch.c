/* SPDX-License-Identifier: MIT */
#include "wsfand/batch.h"

#include <string.h>

#include "lib/mem.h"

/* What is joined, per window; made when it is first needed, and kept. */
static uint8_t *stretches[BATCH_WINDOWS];

void
batches_init(struct batches *batches, const struct outq *queue, bool join)
{
	batches->queue = queue;
	batches->join = join;
	for (size_t i = 0; i < BATCH_WINDOWS; i++)
		batches->each[i].count = 0;
}

static const uint8_t *
join(const struct batch *batch, size_t index)
{
	size_t at = 0;

	if (!stretches[index])
		stretches[index] = mem_alloc(BATCH_BYTES);
	for (size_t i = 0; i < batch->count; i++) {
		memcpy(
		    stretches[index] + at, batch->messages[i]->bytes, batch->messages[i]->length);
		at += batch->messages[i]->length;
	}
	return stretches[index];
}

const struct batch *
batches_make(struct batches *batches, size_t index, uint8_t window)
{
	struct batch *batch = &batches->each[index];

	batch->messages = batches->messages[index];
	batch->count = batches->queue->count;
	batch->length = 0;
	for (uint32_t i = 0; i < batch->count; i++) {
		batch->messages[i] = message_form(outq_at(batches->queue, i), window);
		batch->length += batch->messages[i]->length;
	}
	batch->joined = NULL;
	if (batch->count == 1)
		batch->joined = batch->messages[0]->bytes;
	else if (batches->join && batch->length <= BATCH_BYTES)
		batch->joined = join(batch, index);
	return batch;
}
