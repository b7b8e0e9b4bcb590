/* SPDX-License-Identifier: MIT */
#include "wsfand/saver.h"

#include "lib/mem.h"

#define FIRST_CAPACITY 256

void
saver_init(struct saver *saver)
{
	*saver = (struct saver){.fd_count = 0};
	estate_begin(&saver->writer);
}

void
saver_free(struct saver *saver)
{
	estate_free(&saver->writer);
	numbering_free(&saver->messages);
	numbering_free(&saver->rooms);
	MEM_FREE(&saver->fds);
	saver->fd_count = saver->fd_capacity = 0;
}

void
saver_put(struct saver *saver, const struct estate_record *record)
{
	estate_put_record(&saver->writer, record);
}

uint32_t
saver_message(struct saver *saver, const struct message *message)
{
	uint32_t number = message ? numbering_of(&saver->messages, message) : 0;

	if (!message || number > 0)
		return number;
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_message,
		.message =
		    {
			.kind = message->kind,
			.window = message->window,
			.at_ms = (uint64_t)MAX(message->at_ms, 0),
			.bytes = {message->bytes, message->length},
		    },
	    });
	return numbering_add(&saver->messages, message);
}

uint64_t
saver_fd(struct saver *saver, int fd)
{
	if (saver->fd_count == saver->fd_capacity) {
		saver->fd_capacity = MAX(FIRST_CAPACITY, 2 * saver->fd_capacity);
		saver->fds = mem_array(saver->fds, saver->fd_capacity, sizeof(*saver->fds));
	}
	saver->fds[saver->fd_count++] = fd;
	return (uint64_t)fd;
}
