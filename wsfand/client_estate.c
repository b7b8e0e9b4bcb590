/* SPDX-License-Identifier: MIT */
#include "wsfand/client_estate.h"

#include <string.h>

#include "lib/mem.h"
#include "lib/sock.h"
#include "wsfand/client_flush.h"
#include "wsfand/counters.h"
#include "wsfand/estate_check.h"
#include "wsfand/room_estate.h"
#include "wsfand/wire.h"

/* The numbers of what waits for one client, between its messages' records and its own. */
struct queue_bytes {
	uint8_t *data;
	size_t capacity;
};

static struct estate_bytes
save_queue(struct saver *saver, const struct outq *queue, struct queue_bytes *bytes)
{
	size_t length = 4 * (size_t)queue->count;

	if (length > bytes->capacity) {
		bytes->capacity = 2 * length;
		bytes->data = mem_array(bytes->data, bytes->capacity, 1);
	}
	for (uint32_t i = 0; i < queue->count; i++) {
		uint32_t number = saver_message(saver, outq_at(queue, i));

		for (int byte = 0; byte < 4; byte++)
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): large enough */
			bytes->data[4 * i + (uint32_t)byte] = (uint8_t)(number >> 8 * byte);
	}
	return (struct estate_bytes){bytes->data, length};
}

static void
client_save(const struct session *session, const struct client *client,
    const struct deadlines *quiet, struct saver *saver, struct queue_bytes *bytes)
{
	const struct clients *clients = &session->clients;
	uint32_t now_ms = session_now_ms(session);
	struct wire_half half;

	wire_save(client->wire, &half);
	saver_put(saver,
	    &(struct estate_record){
		.kind = ESTATE_client,
		.client =
		    {
			.queue = save_queue(saver, &client->queue, bytes),
			.fd = saver_fd(saver, client->io.fd),
			.room = client->room ? numbering_of(&saver->rooms, client->room) : 0,
			.id = {client->id, sizeof(client->id)},
			.network = client->network,
			.state = client->state,
			.deaf = client_is_deaf(client),
			.window = client->window,
			.pinged = client->pinged,
			.peer_closed = client->peer_closed,
			.said = client->said.tokens,
			.said_age_ms = now_ms - client->said.refilled_ms,
			.bad = client->bad.tokens,
			.bad_age_ms = now_ms - client->bad.refilled_ms,
			.expires_ms = (uint64_t)expiries_due(&session->expiries, &client->expiry),
			.quiet_us = deadline_left_us(quiet, &client->quiet),
			.stall_us = deadline_left_us(&clients->stall, &client->stall),
			.sent = client->queue.sent,
			.closed = client->queue.closed,
			.frame = {half.frame, half.frame_length},
			.fragments = {half.fragments, half.fragments_length},
			.opcode = half.opcode,
			.deflated = half.deflated,
		    },
	    });
}

void
clients_save(const struct session *session, struct saver *saver)
{
	const struct clients *clients = &session->clients;
	/* Whoever lives stands on exactly one of these; see wsfand/client.h. */
	const struct deadlines *all[] = {
	    &clients->idle, &clients->pong, &clients->closing, &clients->ending};
	struct queue_bytes bytes = {.capacity = 0};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		LIST_FOR_EACH (node, &all[i]->list) {
			struct deadline *quiet = container_of(node, struct deadline, node);

			client_save(session, container_of(quiet, struct client, quiet), all[i],
			    saver, &bytes);
		}
	}
	MEM_FREE(&bytes.data);
}

static void
adopt_queue(struct client *client, const struct heir *heir, const struct estate_client *record)
{
	struct outq *queue = &client->queue;

	for (size_t i = 0; i < record->queue.length / 4; i++)
		outq_put(queue, heir_message(heir, estate_queued(&record->queue, i)));
	/* estate_check() has seen that the head is longer. */
	outq_sent(queue, record->sent);
	queue->closed = record->closed;
	counters[COUNTER_queued_bytes] += queue->bytes;
	if (outq_empty(queue))
		return;
	client_set_behind(client, true);
	client->unacknowledged = sock_unacknowledged(client->io.fd);
	deadline_lift(&client->stall);
	deadline_put(&client->clients->stall, &client->stall, record->stall_us);
}

/* The state, and what goes with it, as it was. */
static void
adopt_state(struct client *client, const struct estate_client *record)
{
	struct clients *clients = client->clients;
	struct deadlines *const quiet[] = {
	    [CLIENT_OPEN] = record->pinged ? &clients->pong : &clients->idle,
	    [CLIENT_CLOSING] = &clients->closing,
	    [CLIENT_ENDING] = &clients->ending,
	};

	bool open = record->state == CLIENT_OPEN;

	client_set_state(client, (enum client_state)record->state);
	client->pinged = record->pinged;
	client->peer_closed = record->peer_closed;
	/* Of the reasons for which it is closed, only this matters still. */
	client->reason = !open && record->deaf ? CLOSE_PROTOCOL : CLOSE_NONE;
	deadline_lift(&client->quiet);
	deadline_put(quiet[record->state], &client->quiet, MAX(record->quiet_us, 1));
}

static void
adopt_session(struct session *session, struct client *client, const struct estate_client *record)
{
	uint32_t now_ms = session_now_ms(session);

	memcpy(client->id, record->id.data, sizeof(client->id));
	client->said = (struct bucket){now_ms - (uint32_t)record->said_age_ms,
	    (uint16_t)MIN(record->said, session->message_burst)};
	client->bad = (struct bucket){now_ms - (uint32_t)record->bad_age_ms, (uint16_t)record->bad};
	if (client->state != CLIENT_OPEN)
		return;
	/* Whom its address has no room for is not counted, and nor is its leaving. */
	client->network = admit_return(session->admit, record->network) ? record->network : 0;
	if (record->expires_ms > 0)
		expiries_set(&session->expiries, &client->expiry, (int64_t)record->expires_ms);
}

void
client_adopt(struct session *session, const struct heir *heir, const struct estate_client *record)
{
	static const uint8_t none[1];
	const struct wire_half half = {
	    .frame = record->frame.length > 0 ? record->frame.data : none,
	    .frame_length = record->frame.length,
	    .fragments = record->fragments.length > 0 ? record->fragments.data : none,
	    .fragments_length = record->fragments.length,
	    .opcode = (uint8_t)record->opcode,
	    .deflated = record->deflated,
	};
	const struct wire_terms terms = {
	    .max_message = session->clients.settings.max_message, .deflate = record->window > 0};
	struct client *client = client_new(
	    &session->clients, heir_socket(record->fd), (uint8_t)record->window);
	enum close_reason reason;

	adopt_state(client, record);
	adopt_session(session, client, record);
	if (client->state == CLIENT_OPEN)
		room_adopt_client(heir_room(heir, record->room), client);
	adopt_queue(client, heir, record);
	reason = wire_resume(&client->wire, &terms, &half);
	/* It is closed once all are here: its room must last until then. */
	if (client->state == CLIENT_OPEN)
		client->reason = (uint8_t)reason;
}

static void
close_unfit(struct deadlines *quiet)
{
	LIST_FOR_EACH_SAFE (node, &quiet->list) {
		struct deadline *deadline = container_of(node, struct deadline, node);
		struct client *client = container_of(deadline, struct client, quiet);

		if (client->reason != CLOSE_NONE)
			client_close(client, (enum close_reason)client->reason, true);
	}
}

void
clients_settle(struct session *session)
{
	struct clients *clients = &session->clients;
	struct deadlines *all[] = {
	    &clients->idle, &clients->pong, &clients->stall, &clients->closing, &clients->ending};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		deadlines_settle(all[i]);
	close_unfit(&clients->idle);
	close_unfit(&clients->pong);
	session_await_expiry(session);
}
