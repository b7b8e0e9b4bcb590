/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "wsfand/heir.h"
#include "wsfand/newcomer_parts.h"

static void
newcomer_save(const struct newcomer *newcomer, struct saver *saver)
{
	const struct newcomers *all = newcomer->all;
	const struct deadlines *whole = newcomer->state == NEWCOMER_ENDING ? &all->ending
									   : &all->whole;

	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_newcomer,
		.newcomer =
		    {
			.fd = saver_fd(saver, newcomer->io.fd),
			.state = newcomer->state,
			.head = {buf_bytes(&newcomer->head), buf_length(&newcomer->head)},
			.discarded = newcomer->discarded,
			.since_ns = newcomer->since_ns,
			.peer = {newcomer->peer.bytes, ADDRESS_BYTES},
			.whole_us = deadline_left_us(whole, &newcomer->whole),
			.again_us = deadline_left_us(&all->again, &newcomer->again),
		    },
	    });
}

void
newcomers_save(const struct newcomers *newcomers, struct saver *saver)
{
	LIST_FOR_EACH (node, &newcomers->all)
		newcomer_save(container_of(node, struct newcomer, node), saver);
}

void
newcomer_adopt(struct newcomers *newcomers, const struct estate_newcomer *record)
{
	bool ending = record->state == NEWCOMER_ENDING;
	struct newcomer *newcomer;
	struct address peer;

	memcpy(peer.bytes, record->peer.data, ADDRESS_BYTES);
	newcomer = newcomer_new(
	    newcomers, heir_socket(record->fd), peer, (enum newcomer_state)record->state);
	newcomer->discarded = (size_t)record->discarded;
	newcomer->since_ns = record->since_ns;
	deadline_put(ending ? &newcomers->ending : &newcomers->whole, &newcomer->whole,
	    MAX(record->whole_us, 1));
	if (record->again_us > 0) {
		ev_io_stop(newcomers->loop, &newcomer->io);
		deadline_put(&newcomers->again, &newcomer->again, record->again_us);
	}
	if (buf_append(&newcomer->head, record->head.data, record->head.length) < 0)
		newcomer_dismiss(newcomer);
}

void
newcomers_settle(struct newcomers *newcomers)
{
	deadlines_settle(&newcomers->whole);
	deadlines_settle(&newcomers->again);
	deadlines_settle(&newcomers->ending);
}
