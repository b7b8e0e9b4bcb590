/* SPDX-License-Identifier: MIT */
#include "wsfand/estate_check.h"

#include <limits.h>
#include <stdlib.h>

#include "lib/mem.h"

#define FIRST_CONTROL 4 /* kinds of messages from here on are control frames */
#define MAX_CONTROL 125
/* 0, 1 and 2 are not connections. */
#define LEAST_FD 3

/* Both grow with what was read, never with what a number promises. */
struct check {
	struct estate_summary *summary;
	uint32_t *clients_of; /* by room */
	uint64_t *lengths; /* of messages */
	int *fds;
	size_t fd_count, fd_room, length_room, room_room;
	size_t origins;
};

/* Room for one more at items[count]. */
static void *
grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room > 0 ? 2 * *room : 64;
	return mem_array(items, *room, size);
}

size_t
estate_frame_header(const struct estate_bytes *frame)
{
	size_t header = 2, extended;
	uint64_t payload;

	if (frame->length < 2 || !(frame->data[0] & 0x80) || frame->data[1] & 0x80)
		return 0;
	payload = frame->data[1];
	extended = payload == 126 ? 2 : payload == 127 ? 8 : 0;
	if (frame->length < 2 + extended)
		return 0;
	if (extended > 0)
		payload = 0;
	for (; header < 2 + extended; header++)
		payload = payload << 8 | frame->data[header];
	return frame->length - header == payload ? header : 0;
}

uint32_t
estate_queued(const struct estate_bytes *queue, size_t i)
{
	const uint8_t *at = queue->data + 4 * i;

	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static bool
take_fd(struct check *check, uint64_t fd)
{
	if (fd < LEAST_FD)
		return false;
	check->fds = grow(check->fds, check->fd_count, &check->fd_room, sizeof(*check->fds));
	check->fds[check->fd_count++] = (int)fd;
	return true;
}

static const char *
check_message(struct check *check, const struct estate_message *message)
{
	struct estate_summary *summary = check->summary;
	size_t header = estate_frame_header(&message->bytes);

	if (header == 0)
		return "a message is not one frame";
	if (message->window > 0 && message->window < 8)
		return "a message has no such window";
	if (message->kind >= FIRST_CONTROL && message->bytes.length - header > MAX_CONTROL)
		return "a control frame is too long";
	check->lengths = grow(
	    check->lengths, summary->messages, &check->length_room, sizeof(*check->lengths));
	check->lengths[summary->messages++] = message->bytes.length;
	return NULL;
}

static const char *
check_room(struct check *check, const struct estate_room *room)
{
	struct estate_summary *summary = check->summary;

	if (room->analytics > summary->messages || room->metrics > summary->messages)
		return "a room's state is missing";
	check->clients_of = grow(
	    check->clients_of, summary->rooms, &check->room_room, sizeof(*check->clients_of));
	check->clients_of[summary->rooms++] = 0;
	return NULL;
}

static const char *
check_queue(const struct check *check, const struct estate_client *client)
{
	size_t count = client->queue.length / 4;

	if (client->queue.length % 4 != 0)
		return "a client's queue is cut off";
	for (size_t i = 0; i < count; i++) {
		uint32_t message = estate_queued(&client->queue, i);

		if (message == 0 || message > check->summary->messages)
			return "a message in a queue is missing";
	}
	if (client->sent == 0)
		return NULL;
	if (count == 0)
		return "nothing is half sent";
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is such a message */
	if (client->sent >= check->lengths[estate_queued(&client->queue, 0) - 1])
		return "a client's message has left already";
	return NULL;
}

static const char *
check_client(struct check *check, const struct estate_client *client)
{
	bool open = client->state == 0;

	check->summary->clients++;
	if (!take_fd(check, client->fd))
		return "a client has no descriptor";
	if (open != (client->room > 0) || client->room > check->summary->rooms)
		return "a client's room is missing";
	if (open) /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is such a room */
		check->clients_of[client->room - 1]++;
	if (client->window > 0 && client->window < 8)
		return "a client has no such window";
	if (client->fragments.length > 0 && client->opcode == 0)
		return "fragments belong to no message";
	return check_queue(check, client);
}

static const char *
check_record(struct check *check, const struct estate_record *record)
{
	struct estate_summary *summary = check->summary;

	switch (record->kind) {
	case ESTATE_origin:
		summary->program = record->origin.program;
		return check->origins++ == 0 ? NULL : "it has two origins";
	case ESTATE_listener:
		summary->listeners++;
		if (!take_fd(check, record->listener.fd) ||
		    (record->listener.lock > 0 && !take_fd(check, record->listener.lock)))
			return "a listener has no descriptor";
		return NULL;
	case ESTATE_message:
		return check_message(check, &record->message);
	case ESTATE_room:
		return check_room(check, &record->room);
	case ESTATE_client:
		return check_client(check, &record->client);
	case ESTATE_producer:
		summary->producers++;
		return take_fd(check, record->producer.fd) ? NULL : "a producer has no descriptor";
	case ESTATE_interest:
		return summary->producers > 0 ? NULL : "interest belongs to no producer";
	case ESTATE_newcomer:
		summary->newcomers++;
		return take_fd(check, record->newcomer.fd) ? NULL : "a newcomer has no descriptor";
	case ESTATE_counter:
	case ESTATE_bucket:
	case ESTATE_KINDS:
		break;
	}
	return NULL;
}

static int
compare(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

/* What only the end shows. */
static const char *
check_whole(struct check *check)
{
	if (check->origins == 0)
		return "its origin is missing";
	for (size_t i = 0; i < check->summary->rooms; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): one for each room */
		if (check->clients_of[i] == 0)
			return "a room has no clients";
	if (check->fd_count > 0)
		qsort(check->fds, check->fd_count, sizeof(*check->fds), compare);
	for (size_t i = 1; i < check->fd_count; i++)
		if (check->fds[i] == check->fds[i - 1])
			return "a descriptor belongs to two";
	return NULL;
}

const char *
estate_check(struct estate_summary *summary, const uint8_t *data, size_t length)
{
	struct check check = {.summary = summary};
	struct estate_record record;
	struct estate_bytes rest;
	const char *problem = NULL;

	*summary = (struct estate_summary){.version = estate_version(data, length)};
	if (estate_open(&summary->body, data, length, &problem) < 0)
		return problem;
	rest = summary->body;
	while (!problem && estate_read_record(&rest, &record, &problem) > 0)
		problem = check_record(&check, &record);
	if (!problem)
		problem = check_whole(&check);
	MEM_FREE(&check.clients_of);
	MEM_FREE(&check.lengths);
	MEM_FREE(&check.fds);
	return problem;
}
